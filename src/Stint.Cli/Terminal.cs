using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Stint.Cli;

/// <summary>What a person sees, and what a script reads. Answers go to standard output, everything else to standard error.</summary>
internal sealed class Terminal
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly IAnsiConsole _out;
    private readonly IAnsiConsole _err;
    private readonly TimeProvider _time;

    public Terminal(bool json, TimeProvider time)
    {
        Json = json;
        _time = time;
        _out = Make(Console.Out, Console.IsOutputRedirected);
        _err = Make(Console.Error, Console.IsErrorRedirected);
    }

    /// <summary>Whether a script reads.</summary>
    public bool Json { get; }

    /// <summary>Whether somebody sits there and can be asked.</summary>
    public static bool CanAsk => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    public DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>The answer: the server's own JSON for a script, <paramref name="words"/> for a person.</summary>
    public void Answer(JsonNode json, Action words)
    {
        if (Json)
        {
            Console.Out.WriteLine(json.ToJsonString(Readable));
        }
        else
        {
            words();
        }
    }

    /// <summary>The answer to a listing: one JSON object <c>{items}</c>, or a table.</summary>
    public void AnswerList(IReadOnlyList<JsonObject> items, string none, string[] head, Func<JsonObject, string[]> row) =>
        Answer(
            new JsonObject { ["items"] = new JsonArray([.. items.Select(item => item.DeepClone())]) },
            () =>
            {
                if (items.Count == 0)
                {
                    Line(none);
                    return;
                }

                var table = new Table().Border(TableBorder.None);
                table.ShowHeaders = true;
                foreach (var name in head)
                {
                    table.AddColumn(new TableColumn(new Markup($"[dim]{Markup.Escape(name)}[/]")).NoWrap().PadLeft(0).PadRight(2));
                }

                foreach (var item in items)
                {
                    table.AddRow(row(item).Select(cell => new Text(Printable(cell))));
                }

                _out.Write(table);
            });

    public void Line(string text = "") => _out.WriteLine(Printable(text));

    /// <summary>An address in a line of its own, never folded: half of it opens nothing.</summary>
    public void Address(string address) => _out.Profile.Out.Writer.WriteLine(Printable(address));

    /// <summary>A line in which <paramref name="good"/> is told by colour as well as by its words.</summary>
    public void Verdict(bool good, string text) => _out.MarkupLine($"[{(good ? "green" : "red")}]{Markup.Escape(Printable(text))}[/]");

    /// <summary>Something on the side; nothing when a script reads.</summary>
    public void Aside(string text)
    {
        if (!Json)
        {
            _err.MarkupLine($"[dim]{Markup.Escape(Printable(text))}[/]");
        }
    }

    /// <summary>What a person has to do for it to go on, on standard error whoever reads; never folded, for there are addresses in it.</summary>
    public static void Tell(string text) => Console.Error.WriteLine(Printable(text));

    /// <summary>Something that must not be missed, on standard error whoever reads.</summary>
    public void Warn(string text) => _err.MarkupLine($"[yellow]{Markup.Escape(Printable(text))}[/]");

    /// <summary>What nobody may miss, on standard error whoever reads: told by capitals and colour alike.</summary>
    public void Loud(string text) => _err.MarkupLine($"[bold white on red]!!! {Markup.Escape(Printable(text))} !!![/]");

    /// <summary>Says what is waited for, on the side: a spinner on a terminal, a line elsewhere.</summary>
    public async Task<T> WaitAsync<T>(string what, Func<Task<T>> work)
    {
        if (Json)
        {
            return await work();
        }

        if (Console.IsErrorRedirected)
        {
            await Console.Error.WriteLineAsync(Printable(what));
            return await work();
        }

        return await _err.Status().Spinner(Spinner.Known.Dots).StartAsync(Markup.Escape(Printable(what)), _ => work());
    }

    public int Fail(CommandFailed failure)
    {
        if (Json)
        {
            var json = failure.Problem?.DeepClone() as JsonObject
                ?? new JsonObject { ["title"] = failure.Message, ["remedy"] = failure.Hint };
            json["exit_code"] = failure.Code;
            Console.Out.WriteLine(json.ToJsonString(Readable));
            return failure.Code;
        }

        _err.MarkupLine($"[red]stint:[/] {Markup.Escape(Printable(failure.Message))}");
        if (failure.Hint is { } hint)
        {
            _err.MarkupLine($"[dim]{Markup.Escape(Printable(hint))}[/]");
        }

        return failure.Code;
    }

    /// <summary>A time in the reader's zone with the distance to now: <c>15:04 (in 12 min)</c>. A dash for null.</summary>
    public string When(JsonNode? time)
    {
        if ((string?)time is not { } text)
        {
            return "-";
        }

        var at = TimeZoneInfo.ConvertTime(DateTimeOffset.Parse(text, CultureInfo.InvariantCulture), _time.LocalTimeZone);
        var now = TimeZoneInfo.ConvertTime(Now, _time.LocalTimeZone);
        var clock = at.Date == now.Date ? at.ToString("HH:mm:ss", CultureInfo.InvariantCulture) : at.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        return $"{clock} ({Distance(at - now)})";
    }

    /// <summary><c>in 12 min</c>, <c>3 h ago</c>.</summary>
    public static string Distance(TimeSpan span) => span < TimeSpan.Zero ? Length(-span) + " ago" : "in " + Length(span);

    /// <summary>The two greatest units of a duration: <c>1 h 30 min</c>.</summary>
    public static string Length(TimeSpan span)
    {
        (long Count, string Unit)[] parts =
        [
            ((long)span.TotalDays, "d"), (span.Hours, "h"), (span.Minutes, "min"), (span.Seconds, "s"),
        ];
        var first = Array.FindIndex(parts, part => part.Count > 0);
        if (first < 0)
        {
            return "0 s";
        }

        return string.Join(' ', parts.Skip(first).Take(2).Where(part => part.Count > 0).Select(part => $"{part.Count} {part.Unit}"));
    }

    public static string Seconds(JsonNode? seconds) => seconds is null ? "-" : Length(TimeSpan.FromSeconds((double)seconds));

    /// <summary>Control characters out: what a server, a colleague or a statement says must not drive this terminal.</summary>
    public static string Printable(string text) =>
        string.Concat(text.Select(c => c is '\n' or '\t' || !char.IsControl(c) ? c : '\uFFFD'));

    private static IAnsiConsole Make(TextWriter writer, bool redirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = redirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (redirected)
        {
            // A file or a pipe has no width: nothing is folded for it.
            console.Profile.Width = 4096;
        }

        return console;
    }
}
