using Stint.Core.Catalog;
using Stint.Core.Policies;

namespace Stint.Core.Requests;

/// <summary>What somebody asks for, as it came in.</summary>
/// <param name="Role"><c>RESOURCE/ROLE</c>.</param>
/// <param name="ForSeconds">Wished duration; null for the policy's default.</param>
/// <param name="Reason">Justification; null for none.</param>
/// <param name="Ticket">The tracker's ticket; null for none.</param>
/// <param name="StartAt">A start in the future; null for as soon as approved.</param>
/// <param name="Wait">Whether access opens as soon as it is approved.</param>
/// <param name="Extends">The grant to join; null for none.</param>
public sealed record Asking(string? Role, long? ForSeconds, string? Reason, string? Ticket, DateTimeOffset? StartAt, bool Wait, string? Extends)
{
    /// <summary>When it shall open again and again; null for once.</summary>
    public AskedSeries? Recurrence { get; init; }

    /// <summary>Whether it is an emergency that cannot wait for anybody's yes.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>The task that access is bound to, as <see cref="TaskName"/> writes it; null for none.</summary>
    public string? Task { get; init; }

    /// <summary>Of a workload: what its token said, verified. Null for a person.</summary>
    public IReadOnlyDictionary<string, string>? Claims { get; init; }

    /// <summary>The exact statements that it is for, as RFC 9396 writes them; null for whatever the role allows.</summary>
    public IReadOnlyList<AskedDetail>? Details { get; init; }

    /// <summary>Longest justification, in characters.</summary>
    public const int LongestReason = 2_000;

    /// <summary>Longest ticket, in characters.</summary>
    public const int LongestTicket = 100;

    /// <summary>Checks everything that needs no catalog.</summary>
    /// <param name="now">The moment of the asking.</param>
    public AskingCheck Check(DateTimeOffset now)
    {
        var problems = new List<AskingProblem>();
        void Wrong(string field, string what, string? wayOut = null) => problems.Add(new AskingProblem(field, what, wayOut));

        var role = RoleRef.Parse(Role);
        if (role is not { } named || !Words.IsName(named.Resource) || !Words.IsName(named.Role))
        {
            role = null;
            Wrong("role", string.IsNullOrEmpty(Role) ? "no role was named" : "this is not a role", "write RESOURCE/ROLE");
        }

        if (ForSeconds is < 1 or > 366 * 86_400)
        {
            Wrong("for_seconds", "the duration is out of bounds", "it goes from 1 second to 366 days");
        }

        var reason = Reason?.Trim().Replace("\r\n", "\n", StringComparison.Ordinal) ?? "";
        if (reason.Length > LongestReason)
        {
            Wrong("reason", $"the reason is longer than {LongestReason} characters");
        }

        if (!Words.IsShowable(reason, newLines: true))
        {
            Wrong("reason", "the reason holds characters that cannot be shown", "take out control characters and marks that turn the direction of writing");
        }

        var ticket = string.IsNullOrWhiteSpace(Ticket) ? null : Ticket.Trim(' ');
        if (ticket?.Length > LongestTicket)
        {
            Wrong("ticket", $"the ticket is longer than {LongestTicket} characters");
        }

        if (ticket is not null && !Words.IsShowable(ticket, newLines: false))
        {
            Wrong("ticket", "the ticket holds characters that cannot be shown", "write its key alone");
        }

        var task = string.IsNullOrWhiteSpace(Task) ? null : TaskName.Normal(Task.Trim(' '));
        if (task is null && !string.IsNullOrWhiteSpace(Task))
        {
            Wrong("task", "this is not the name of a task", $"write SYSTEM:NAME in at most {TaskName.Longest} visible characters: github:org/repo#12, jira:OPS-7, pagerduty:PGR0VU2");
        }

        if (StartAt is { } start && start <= now)
        {
            Wrong("start_at", "the start lies in the past", "name a later moment, or leave it out");
        }

        if (StartAt is { } far && far - now > Decider.FurthestStart)
        {
            Wrong("start_at", "the start lies more than 30 days ahead", "ask again when it is nearer");
        }

        if (StartAt is not null && Wait)
        {
            Wrong("wait", "a start in the future cannot be waited for", "leave one of the two out");
        }

        if (Claims is not null && BreakGlass)
        {
            Wrong("break_glass", "only persons break the glass", "have a person do it, or ask for the role");
        }

        if (Claims is not null && Recurrence is not null)
        {
            Wrong("recurrence", "a workload asks when it runs, and for one run", "leave it out");
        }

        if (BreakGlass && StartAt is not null)
        {
            Wrong("start_at", "break-glass opens at once", "leave it out");
        }

        if (BreakGlass && Recurrence is not null)
        {
            Wrong("recurrence", "break-glass opens at once, and once", "leave it out");
        }

        if (Extends is not null && !IsGrant(Extends))
        {
            Wrong("extends", "this is not a grant", "write its name: gr- and twelve characters");
        }

        if (Extends is not null && StartAt is not null)
        {
            Wrong("start_at", "an extension begins where the grant that it joins ends", "leave it out");
        }

        if (Recurrence is not null && (StartAt is not null || Wait || Extends is not null))
        {
            Wrong("recurrence", "a series has its own start, cannot be waited for and joins no grant", "leave start_at, wait and extends out");
        }

        var statements = ExactStatements.Check(Details, Wrong);
        var series = Recurrence?.Check(now, Wrong);
        return problems.Count > 0
            ? new AskingCheck.Wrong(problems)
            : new AskingCheck.Sound(
                role!.Value,
                ForSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                reason,
                ticket,
                series?.First ?? StartAt,
                StartAt is not null || series is not null ? Opening.Scheduled : Wait || BreakGlass ? Opening.OnApproval : Opening.ByHolder,
                Extends is null ? null : new GrantId(Extends))
            {
                Recurrence = series?.Series,
                BreakGlass = BreakGlass,
                Task = task,
                Claims = Claims,
                Statements = statements,
            };
    }

    private static bool IsGrant(string text) =>
        text.Length == 15 && text.StartsWith("gr-", StringComparison.Ordinal) && text.Skip(3).All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));
}

/// <summary>What came of checking an asking.</summary>
public abstract record AskingCheck
{
    private AskingCheck()
    {
    }

    /// <summary>Nothing is wrong with its form.</summary>
    /// <param name="Role">The role.</param>
    /// <param name="For">Null for the policy's default.</param>
    /// <param name="Reason">Trimmed; empty for none.</param>
    /// <param name="Ticket">Trimmed; null for none.</param>
    /// <param name="StartAt">Null for as soon as approved.</param>
    /// <param name="Opening">When access opens once it is approved.</param>
    /// <param name="Extends">Null for none.</param>
    public sealed record Sound(RoleRef Role, TimeSpan? For, string Reason, string? Ticket, DateTimeOffset? StartAt, Opening Opening, GrantId? Extends) : AskingCheck
    {
        /// <summary>When it opens again and again; null for once. <see cref="StartAt"/> is its first occurrence then.</summary>
        public Series? Recurrence { get; init; }

        /// <summary>Whether it is asked as break-glass.</summary>
        public bool BreakGlass { get; init; }

        /// <summary>As it is kept and compared; null for none.</summary>
        public string? Task { get; init; }

        /// <summary>Of a workload: what its token said, verified. Null for a person.</summary>
        public IReadOnlyDictionary<string, string>? Claims { get; init; }

        /// <summary>The exact statements that it is for; null for whatever the role allows.</summary>
        public ExactStatements? Statements { get; init; }
    }

    /// <summary>All that is wrong with it.</summary>
    public sealed record Wrong(IReadOnlyList<AskingProblem> Problems) : AskingCheck;
}

/// <summary>One thing that is wrong with an asking. Never repeats what was written.</summary>
/// <param name="Field">The API's name of the field.</param>
/// <param name="What">What is wrong, without a full stop.</param>
/// <param name="WayOut">What to do; null when the first part says it.</param>
public sealed record AskingProblem(string Field, string What, string? WayOut);
