using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Requests;

namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>How far the steps of a request have come, in their order; empty for one that was asked before steps had a clock.</summary>
    public ValueTask<List<StepProgress>> StepsAsync(RequestId request) => Db.ListAsync(
        "SELECT step, opened_at, remind_at, reminded, escalate_at, escalated_at, handover_at FROM request_steps WHERE request_id = $1 ORDER BY step",
        static row =>
        {
            var c = new Columns(row);
            return new StepProgress
            {
                Step = (int)c.Number(),
                OpenedAt = c.TimeOrNull(),
                RemindAt = c.TimeOrNull(),
                Reminded = (int)c.Number(),
                EscalateAt = c.TimeOrNull(),
                EscalatedAt = c.TimeOrNull(),
                HandoverAt = c.TimeOrNull(),
            };
        },
        request.Value);

    /// <summary>Who may answer steps of a request besides those whom the asking named.</summary>
    public ValueTask<List<StepAddition>> AdditionsAsync(RequestId request) => Db.ListAsync(
        "SELECT step, person, cause, at FROM step_additions WHERE request_id = $1 ORDER BY step, person",
        static row =>
        {
            var c = new Columns(row);
            return new StepAddition((int)c.Number(), new SubjectId(c.Text()), Words.Addition.Read(c.Text()), c.Time());
        },
        request.Value);

    /// <summary>Pending requests, asked by themselves, of which a step has something due, found by index; look again once they are held.</summary>
    public ValueTask<List<Request>> DueRequestsAsync(DateTimeOffset now, int limit) => Db.ListAsync(
        $"SELECT {RequestColumns} FROM requests WHERE state = 'pending' AND bundle_id IS NULL AND id IN (SELECT request_id FROM request_steps WHERE due_at <= $1 ORDER BY due_at LIMIT $2){SkipLocked}",
        ReadRequest,
        now,
        limit);

    /// <summary>Whether somebody is asked for an answer, was, or gave one: in their own place or in that of somebody who is away.</summary>
    public async ValueTask<bool> IsAskedAsync(RequestId request, SubjectId who, DateTimeOffset now) => await Db.NumberAsync(
        $"SELECT CAST(1 AS BIGINT) FROM request_approvers WHERE request_id = $1 AND (person = $2 OR {AnsweredFor(now).Replace("?", "$2", StringComparison.Ordinal)}) "
        + "UNION ALL SELECT CAST(1 AS BIGINT) FROM approvals WHERE request_id = $1 AND person = $2 LIMIT 1",
        request.Value,
        who.Value) is not null;

    /// <summary>The condition that <c>person</c> is somebody for whom <c>?</c> answers at a moment.</summary>
    private protected static string AnsweredFor(DateTimeOffset now) =>
        $"person IN (SELECT person FROM delegations WHERE delegate = ? AND ended_at IS NULL AND from_at <= {Stored.Micros(now)} AND until_at > {Stored.Micros(now)})";
}

internal sealed partial class Work
{
    /// <summary>Keeps how far a step has come. Hold the request.</summary>
    public async ValueTask SaveAsync(RequestId request, StepProgress step)
    {
        await Db.RunAsync(
            "INSERT INTO request_steps (request_id, step, opened_at, remind_at, reminded, escalate_at, escalated_at, handover_at, due_at) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (request_id, step) DO UPDATE SET opened_at = excluded.opened_at, "
            + "remind_at = excluded.remind_at, reminded = excluded.reminded, escalate_at = excluded.escalate_at, "
            + "escalated_at = excluded.escalated_at, handover_at = excluded.handover_at, due_at = excluded.due_at",
            request.Value,
            step.Step,
            step.OpenedAt,
            step.RemindAt,
            step.Reminded,
            step.EscalateAt,
            step.EscalatedAt,
            step.HandoverAt,
            step.DueAt);
        if (step.DueAt is not null)
        {
            Wake(Wakes.Keeper);
        }
    }

    /// <summary>Lets somebody answer a step besides those whom the asking named. Once added, they stay.</summary>
    public async ValueTask AddAsync(RequestId request, StepAddition addition)
    {
        await Db.RunAsync(
            "INSERT INTO step_additions (request_id, step, person, cause, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (request_id, step, person) DO NOTHING",
            request.Value,
            addition.Step,
            addition.Person.Value,
            Words.Addition[addition.Cause],
            addition.At);
        await Db.RunAsync(
            "INSERT INTO request_approvers (request_id, person, open) VALUES ($1, $2, 1) ON CONFLICT (request_id, person) DO NOTHING",
            request.Value,
            addition.Person.Value);
        Wake(Wakes.Of(request));
    }

    /// <summary>Says who is asked now, of all who may ever answer a request.</summary>
    public async ValueTask AskAsync(RequestId request, IReadOnlyCollection<SubjectId> people)
    {
        var names = Db.TextList(people.Select(person => person.Value));
        await Db.RunAsync($"UPDATE request_approvers SET open = 0 WHERE request_id = $1 AND open = 1 AND NOT ({Db.In("person", 2)})", request.Value, names);
        await Db.RunAsync($"UPDATE request_approvers SET open = 1 WHERE request_id = $1 AND open = 0 AND {Db.In("person", 2)}", request.Value, names);
    }
}
