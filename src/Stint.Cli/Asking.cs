using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>What a person says when they ask, and waiting for the answer; shared by <c>request</c>, <c>extend</c> and <c>run</c>.</summary>
internal sealed class Asking
{
    public Option<string?> For { get; } = new("--for") { Description = "How long, such as 30m, 2h, 1h30m; else what the policy gives.", HelpName = "DURATION" };

    public Option<string?> Reason { get; } = new("--reason", "-m") { Description = "Why, for whoever approves and for the audit log.", HelpName = "TEXT" };

    public Option<string?> Ticket { get; } = new("--ticket", "-t") { Description = "Ticket in the tracker.", HelpName = "ID" };

    public Option<string?> Task { get; } = new("--task") { Description = "Task that it is bound to, and ends with: github:org/repo#12, jira:OPS-7.", HelpName = "SYSTEM:NAME" };

    public Option<string[]> Statement { get; } = new("--statement") { Description = "A statement that shall run, word for word; nothing else will. Again for each.", HelpName = "SQL", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };

    public Option<string?> StatementsFile { get; } = new("--statements-file") { Description = "The statements that shall run: SQL, or a JSON array.", HelpName = "FILE" };

    public Option<string?> At { get; } = new("--at") { Description = "Start later: '2026-12-24 18:00' in your zone, with an offset, or '18:00' for the next one.", HelpName = "TIME" };

    public Option<string?> Every { get; } = new("--every") { Description = "Again and again, approved once: a rule such as 'FREQ=WEEKLY;BYDAY=MO,WE'; with --at 09:00 and an end.", HelpName = "RULE" };

    public Option<string?> Zone { get; } = new("--zone") { Description = "Of a series: whose clock --at is on; else your own zone.", HelpName = "ZONE" };

    public Option<string?> Until { get; } = new("--until") { Description = "Of a series: the last day, such as 2027-01-31.", HelpName = "DAY" };

    public Option<int?> Count { get; } = new("--count") { Description = "Of a series: how often.", HelpName = "NUMBER" };

    public void AddTo(Command command, bool withStart)
    {
        command.Add(For);
        command.Add(Reason);
        command.Add(Ticket);
        command.Add(Task);
        command.Add(Statement);
        command.Add(StatementsFile);
        if (withStart)
        {
            command.Add(At);
            command.Add(Every);
            command.Add(Zone);
            command.Add(Until);
            command.Add(Count);
        }
    }

    public JsonObject Body(Verb verb, string role, bool wait, bool withStart)
    {
        var body = new JsonObject { ["role"] = role, ["wait"] = wait };
        if (verb.Get(For) is { } length)
        {
            body["for_seconds"] = Duration(length);
        }

        if (verb.Get(Reason) is { } reason)
        {
            body["reason"] = reason;
        }

        if (verb.Get(Ticket) is { } ticket)
        {
            body["ticket"] = ticket;
        }

        if (verb.Get(Task) is { } task)
        {
            body["task"] = task;
        }

        if (Exact.Of(verb.Get(Statement), verb.Get(StatementsFile)) is { } details)
        {
            body["authorization_details"] = details;
        }

        if (withStart && verb.Get(Every) is { } rule)
        {
            body.Remove("wait");
            body["recurrence"] = Recurrence(rule, verb.Get(At), verb.Get(Zone), verb.Get(Until), verb.Get(Count), verb.Terminal.Now, TimeZoneInfo.Local);
        }
        else if (withStart && (verb.Get(Zone) ?? verb.Get(Until) ?? verb.Get(Count)?.ToString(CultureInfo.InvariantCulture)) is not null)
        {
            throw new CommandFailed(ExitCode.Usage, "--zone, --until and --count are for a series.", "Say when it comes again: --every 'FREQ=WEEKLY;BYDAY=MO,WE'.");
        }
        else if (withStart && verb.Get(At) is { } at)
        {
            body["start_at"] = Start(at, verb.Terminal.Now, TimeZoneInfo.Local).ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        }

        return body;
    }

    /// <summary>A series as a person writes it. <paramref name="at"/> is a time, or the first day and the time, on the series' own clock.</summary>
    public static JsonObject Recurrence(string rule, string? at, string? zone, string? until, int? count, DateTimeOffset now, TimeZoneInfo here)
    {
        var id = zone ?? here.Id;
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(id, out var clock))
        {
            throw new CommandFailed(ExitCode.Usage, $"'{id}' is not a time zone.", "Write an IANA name: --zone Europe/Berlin.");
        }

        string start;
        if (TimeOnly.TryParseExact(at, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            start = string.Create(CultureInfo.InvariantCulture, $"{TimeZoneInfo.ConvertTime(now, clock):yyyy-MM-dd}T{time:HH:mm}");
        }
        else if (DateTime.TryParseExact(at, ["yyyy-MM-dd HH:mm", "yyyy-MM-ddTHH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var first))
        {
            start = first.ToString("yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture);
        }
        else
        {
            throw new CommandFailed(ExitCode.Usage, at is null ? "A series needs the time of its occurrences." : $"'{at}' is not the time of a series.", "Write --at 09:00, or with its first day: --at '2026-12-01 09:00'.");
        }

        var series = new JsonObject { ["rule"] = rule, ["start"] = start, ["zone"] = id };
        if (until is not null)
        {
            series["until"] = until;
        }

        if (count is { } times)
        {
            series["count"] = times;
        }

        return series;
    }

    /// <summary>Whole seconds of <c>1h30m</c>, <c>90s</c>, <c>2d</c>.</summary>
    public static long Duration(string text)
    {
        long total = 0;
        var rest = text.AsSpan().Trim();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            long unit = digits < 1 ? 0 : rest[digits] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
            if (unit == 0 || digits > 9)
            {
                total = 0;
                break;
            }

            total += long.Parse(rest[..digits], CultureInfo.InvariantCulture) * unit;
            rest = rest[(digits + 1)..];
        }

        return total > 0
            ? total
            : throw new CommandFailed(ExitCode.Usage, $"'{text}' is not a duration.", "Write a number with s, m, h or d: 30m, 2h, 1h30m.");
    }

    /// <summary>A start as a person writes it, in their zone.</summary>
    public static DateTimeOffset Start(string text, DateTimeOffset now, TimeZoneInfo zone)
    {
        var here = TimeZoneInfo.ConvertTime(now, zone);
        if (TimeOnly.TryParseExact(text, ["HH:mm", "HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var clock))
        {
            var today = here.Date + clock.ToTimeSpan();
            return InZone(today > here.DateTime ? today : today.AddDays(1), zone, text);
        }

        if (DateTime.TryParseExact(text, ["yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
        {
            return InZone(local, zone, text);
        }

        return DateTimeOffset.TryParseExact(
            text,
            ["yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK"],
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out var exact)
            ? exact
            : throw new CommandFailed(ExitCode.Usage, $"'{text}' is not a time.", "Write 18:00, '2026-12-24 18:00', or 2026-12-24T18:00+01:00.");
    }

    /// <summary>Waits until a request is decided, or <paramref name="until"/>.</summary>
    public static Task<JsonObject> DecidedAsync(Verb verb, StintClient client, JsonObject request, DateTimeOffset until, CancellationToken cancellation) =>
        FollowAsync(verb, client, BundleVerbs.Path((string)request["id"]!), request, now => (string)now["state"]! != "pending", $"{request["id"]} waits for {Waiting(request)}", until, cancellation);

    /// <summary>Waits until a grant is open or over.</summary>
    public static Task<JsonObject> OpenedAsync(Verb verb, StintClient client, JsonObject grant, DateTimeOffset until, CancellationToken cancellation) =>
        FollowAsync(verb, client, $"api/v1/grants/{grant["id"]}", grant, now => (string)now["state"]! is not ("ready" or "opening"), $"{grant["id"]} opens", until, cancellation);

    private static async Task<JsonObject> FollowAsync(
        Verb verb, StintClient client, string path, JsonObject seen, Func<JsonObject, bool> done, string what, DateTimeOffset until, CancellationToken cancellation)
    {
        if (done(seen))
        {
            return seen;
        }

        return await verb.Terminal.WaitAsync(what, async () =>
        {
            while (!done(seen))
            {
                var left = until - verb.Terminal.Now;
                if (left <= TimeSpan.Zero)
                {
                    var isRequest = seen.ContainsKey("asked_at");
                    throw new CommandFailed(
                        ExitCode.TimedOut,
                        $"{seen["id"]} is still {seen["state"]}.",
                        $"{(isRequest ? "It opens by itself when it is approved. " : "")}Look: stint status {seen["id"]}{(isRequest ? $"   Take it back: stint cancel {seen["id"]}" : "")}",
                        seen);
                }

                var wait = (int)Math.Ceiling(Math.Min(left.TotalSeconds, 25));
                seen = await client.GetAsync($"{path}?wait_seconds={wait}&seen_version={seen["version"]}", cancellation);
            }

            return seen;
        });
    }

    private static string Waiting(JsonObject request) =>
        string.Join("; ", Cards.Array(request, "steps").Where(step => (string)step["state"]! == "open")
            .Select(step => string.Join(" or ", step["could"]!.AsArray().Select(who => (string)who!))));

    private static DateTimeOffset InZone(DateTime local, TimeZoneInfo zone, string text)
    {
        if (zone.IsInvalidTime(local))
        {
            throw new CommandFailed(ExitCode.Usage, $"'{text}' does not exist in your zone: the clocks skip it.", "Name another time, or give an offset.");
        }

        if (zone.IsAmbiguousTime(local))
        {
            throw new CommandFailed(ExitCode.Usage, $"'{text}' happens twice in your zone: the clocks go back.", "Give the offset with it, such as 02:30+01:00 with its date.");
        }

        return new DateTimeOffset(local, zone.GetUtcOffset(local));
    }
}
