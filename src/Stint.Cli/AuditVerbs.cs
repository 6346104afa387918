using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Stint.Core.Audit;

namespace Stint.Cli;

/// <summary>Reading the log, and checking it without trusting whoever keeps it.</summary>
internal static class AuditVerbs
{
    public static Command All() => new("audit", "Read the audit log, check it, and take evidence along.")
    {
        Head(), Facts(), Verify(), Export(), Evidence(),
    };

    private static Command Head() =>
        Verb.Asks(new Command("head", "Print the log's signed head and the key that signs it."), async (verb, client, cancellation) =>
        {
            var (key, note) = await HeadAsync(client, cancellation);
            verb.Terminal.Answer(
                new JsonObject { ["key"] = key.Public, ["fingerprint"] = key.Fingerprint, ["size"] = note.Head.Size, ["root"] = note.Head.Root.ToString(), ["checkpoint"] = note.Note },
                () =>
                {
                    Console.Out.Write(note.Note);
                    verb.Terminal.Aside($"Signed by {key.Public} ({key.Fingerprint}). Keep this head: 'stint audit verify --head FILE' later proves that nothing before it changed.");
                });
            return ExitCode.Ok;
        });

    private static Command Facts()
    {
        var from = new Option<long>("--from") { Description = "First fact's number." };
        var about = new Option<string?>("--about") { Description = "Only facts that name this request, grant, session, person or role." };
        var most = new Option<int>("--limit") { Description = "How many at the most.", DefaultValueFactory = _ => 100 };
        var command = new Command("facts", "List facts in their order.") { from, about, most };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var items = new List<JsonObject>();
            for (var next = (string?)verb.Get(from).ToString(CultureInfo.InvariantCulture); next is not null && items.Count < verb.Get(most);)
            {
                var page = await client.GetAsync($"api/v1/audit/facts?from={next}&limit=1000", cancellation);
                foreach (var fact in Cards.Array(page, "items").Where(fact => verb.Get(about) is not { } name || ((string)fact["body"]!).Contains($"\"{name}\"", StringComparison.Ordinal)))
                {
                    var one = (JsonObject)fact.DeepClone();
                    one["body"] = JsonNode.Parse((string)fact["body"]!);
                    items.Add(one);
                }

                next = (string?)page["next"];
            }

            verb.Terminal.AnswerList(
                [.. items.Take(verb.Get(most))],
                "No facts.",
                ["FACT", "WHEN", "WHAT", "BY", "ABOUT"],
                fact =>
                [
                    fact["seq"]!.ToString(), verb.Terminal.When(fact["at"]), (string)fact["kind"]!, Text(fact["body"]!["actor"]),
                    string.Join(' ', ((string[])["request", "grant", "assignment", "session", "subject"]).Select(name => Text(fact["body"]!["fields"]?[name])).Where(text => text.Length > 0)),
                ]);
            return ExitCode.Ok;
        });
    }

    private static Command Verify()
    {
        var file = new Argument<string?>("FILE") { Description = "An export or an evidence file; else the server's whole log.", Arity = ArgumentArity.ZeroOrOne };
        var key = new Option<string?>("--key") { Description = "The log's public key or its fingerprint, as you know it from elsewhere.", HelpName = "KEY" };
        var head = new Option<string?>("--head") { Description = "A signed head that you kept from earlier.", HelpName = "FILE" };
        var command = new Command("verify", "Check the log, an export or an evidence file on this machine.") { file, key, head };
        return Verb.Does(command, async (verb, cancellation) =>
        {
            var trust = verb.Get(key) is { } text ? Read(() => KeyTrust.Parse(text), "--key") : KeyTrust.Nothing;
            var brought = verb.Get(head) is { } note ? Read(() => SignedCheckpoint.Parse(File.ReadAllText(note)), note) : null;
            if (verb.Get(file) is { } path)
            {
                return await VerifyFileAsync(verb, path, trust, brought, cancellation);
            }

            using var client = verb.Connect();
            return await VerifyServerAsync(verb, client, trust, brought, cancellation);
        });
    }

    private static async Task<int> VerifyServerAsync(Verb verb, StintClient client, KeyTrust trust, SignedCheckpoint? brought, CancellationToken cancellation)
    {
        // What this machine saw the last time is the doubter's own memory: a log that was cut back does not fit it.
        var seen = LastSeen.Of(client.Login.Server);
        var key = (string)(await client.GetAsync("api/v1/audit/key", cancellation))["public"]!;
        if (seen.Key is { } known && known != key)
        {
            verb.Terminal.Warn($"This is not the log that this machine saw at {client.Login.Server} before: it is signed by another key. If nobody set up a new server there, stop and ask.");
        }
        else if (brought is null && seen.Note is { } kept)
        {
            brought = Read(() => SignedCheckpoint.Parse(kept), seen.NoteFile);
        }

        var (log, rows) = await verb.Terminal.WaitAsync("Reading the whole log", async () =>
        {
            // The server's own check compares each row of the store with its facts; the log itself is checked here, fact by fact.
            var rows = await client.PostAsync("api/v1/audit/verify", [], cancellation);
            await using var stream = await client.StreamAsync("api/v1/audit/export", cancellation);
            return (await Task.Run(() => ExportVerifier.Verify(stream, trust, brought), cancellation), rows);
        });
        var sentences = log.Log.Findings.Select(finding => finding.Sentence)
            .Concat(Cards.Array(rows, "findings").Concat(Cards.Array(rows, "rows")).Select(finding => (string)finding["sentence"]!))
            .Distinct()
            .ToList();
        var holds = log.Log.Holds && (bool)rows["holds"]!;
        if (holds && log.Log.Head is { } head)
        {
            seen.Keep(log.Key!.Public, head.Note);
        }

        Report(verb, holds, log, sentences, client.Login.Server.ToString());
        return holds ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task<int> VerifyFileAsync(Verb verb, string path, KeyTrust trust, SignedCheckpoint? brought, CancellationToken cancellation)
    {
        if (!File.Exists(path))
        {
            throw new CommandFailed(ExitCode.NotFound, $"There is no file {path}.");
        }

        if (await IsExportAsync(path, cancellation))
        {
            await using var stream = File.OpenRead(path);
            var log = await Task.Run(() => ExportVerifier.Verify(stream, trust, brought), cancellation);
            Report(verb, log.Log.Holds, log, [.. log.Log.Findings.Select(finding => finding.Sentence)], path);
            return log.Log.Holds ? ExitCode.Ok : ExitCode.Failed;
        }

        if (brought is not null)
        {
            throw new CommandFailed(ExitCode.Usage, "A head from earlier says nothing about an evidence file.", "Leave --head out; give the log's key with --key.");
        }

        var report = EvidenceVerifier.Verify(await File.ReadAllBytesAsync(path, cancellation), trust);
        ReportEvidence(verb, report, path);
        return report.Holds ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void ReportEvidence(Verb verb, EvidenceReport report, string path)
    {
        var json = new JsonObject
        {
            ["holds"] = report.Holds,
            ["request"] = report.Request,
            ["key"] = report.Key?.Public,
            ["key_brought"] = report.KeyBrought,
            ["warning"] = report.Warning,
            ["sentences"] = new JsonArray([.. report.Sentences.Select(sentence => new JsonObject
            {
                ["number"] = sentence.Number,
                ["text"] = sentence.Text,
                ["holds"] = sentence.Holds,
                ["why"] = sentence.Why,
            })]),
        };
        verb.Terminal.Answer(json, () =>
        {
            foreach (var sentence in report.Sentences)
            {
                verb.Terminal.Verdict(sentence.Holds, $"{(sentence.Holds ? "holds" : "FAILS"),-6}{sentence.Number,3}. {sentence.Text}");
                if (sentence.Why is { } why)
                {
                    verb.Terminal.Line($"          {why}");
                }
            }

            verb.Terminal.Verdict(report.Holds, report.Holds ? $"Every sentence of {path} holds." : $"{path} does not hold.");
        });
        if (report.Warning is { } warning)
        {
            verb.Terminal.Warn(warning);
        }
    }

    private static void Report(Verb verb, bool holds, ExportReport log, List<string> sentences, string what)
    {
        var json = new JsonObject
        {
            ["holds"] = holds,
            ["facts"] = log.Log.Facts,
            ["covered"] = log.Log.Covered,
            ["key"] = log.Key?.Public,
            ["key_brought"] = log.KeyBrought,
            ["head"] = log.Log.Head?.Note,
            ["findings"] = new JsonArray([.. sentences.Select(sentence => JsonValue.Create(sentence))]),
        };
        verb.Terminal.Answer(json, () =>
        {
            verb.Terminal.Verdict(holds, holds
                ? $"The log holds: {log.Log.Facts} facts, {log.Log.Covered} of them under a signed head, none changed, dropped, moved or cut off."
                : $"The log at {what} does not hold:");
            sentences.ForEach(sentence => verb.Terminal.Line("  " + sentence));
            if (log.Log.LeftOff > 0)
            {
                verb.Terminal.Line($"  and {log.Log.LeftOff} more");
            }

            if (!log.KeyBrought && log.Key is { } key)
            {
                verb.Terminal.Aside($"The key {key.Fingerprint} is the one that the log itself names. Whoever has it from elsewhere gives it with --key.");
            }
        });
    }

    private static Command Export()
    {
        var file = new Argument<string>("FILE") { Description = "Where to write; - for standard output." };
        var command = new Command("export", "Write the whole log to a file that can be checked anywhere.") { file };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            await using var stream = await client.StreamAsync("api/v1/audit/export", cancellation);
            return await SaveAsync(verb, stream, verb.Get(file), cancellation);
        });
    }

    private static Command Evidence()
    {
        var id = RequestVerbs.Id("api/v1/requests");
        var output = new Option<string?>("--output", "-o") { Description = "Where to write; else REQUEST.stint-evidence.json here; - for standard output.", HelpName = "FILE" };
        var command = new Command("evidence", "Write one file that proves what happened with a request.") { id, output };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            await using var stream = await client.StreamAsync($"api/v1/audit/evidence/{Uri.EscapeDataString(verb.Get(id))}", cancellation);
            return await SaveAsync(verb, stream, verb.Get(output) ?? $"{verb.Get(id)}.stint-evidence.json", cancellation);
        });
    }

    private static async Task<int> SaveAsync(Verb verb, Stream stream, string path, CancellationToken cancellation)
    {
        if (path == "-")
        {
            await using var standard = Console.OpenStandardOutput();
            await stream.CopyToAsync(standard, cancellation);
            return ExitCode.Ok;
        }

        // A file that was only half written must not look like a whole one.
        var half = path + ".part";
        long length;
        await using (var written = File.Create(half))
        {
            await stream.CopyToAsync(written, cancellation);
            length = written.Length;
        }

        File.Move(half, path, overwrite: true);
        verb.Terminal.Answer(
            new JsonObject { ["file"] = Path.GetFullPath(path), ["bytes"] = length },
            () => verb.Terminal.Line($"Wrote {path} ({length} bytes). Check it anywhere: stint audit verify {path}"));
        return ExitCode.Ok;
    }

    private static async Task<(CheckpointKey Key, SignedCheckpoint Note)> HeadAsync(StintClient client, CancellationToken cancellation)
    {
        var key = (string)(await client.GetAsync("api/v1/audit/key", cancellation))["public"]!;
        var note = await TextAsync(client, "api/v1/audit/head", cancellation);
        return (Read(() => CheckpointKey.Parse(key), "the server's key"), Read(() => SignedCheckpoint.Parse(note), "the server's head"));
    }

    private static async Task<string> TextAsync(StintClient client, string path, CancellationToken cancellation)
    {
        await using var stream = await client.StreamAsync(path, cancellation);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellation);
    }

    private static async Task<bool> IsExportAsync(string path, CancellationToken cancellation)
    {
        await using var stream = File.OpenRead(path);
        var start = new byte[256];
        var read = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation);
        return start.AsSpan(0, read).IndexOf(System.Text.Encoding.UTF8.GetBytes($"\"{ExportWriter.Format}\"")) >= 0;
    }

    private static T Read<T>(Func<T> read, string what)
    {
        try
        {
            return read();
        }
        catch (Exception bad) when (bad is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new CommandFailed(ExitCode.Usage, $"{what} cannot be read: {bad.Message}");
        }
    }

    private static string Text(JsonNode? node) => node is JsonValue ? node.ToString() : "";
}

/// <summary>The key and the head of a server's log as this machine last saw them.</summary>
internal sealed record LastSeen(string KeyFile, string NoteFile)
{
    public string? Key => File.Exists(KeyFile) ? File.ReadAllText(KeyFile) : null;

    public string? Note => File.Exists(NoteFile) ? File.ReadAllText(NoteFile) : null;

    public static LastSeen Of(Uri server)
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        var name = Path.Combine(state, "stint", "logs", $"{server.Host}_{server.Port.ToString(CultureInfo.InvariantCulture)}");
        return new LastSeen(name + ".key", name + ".head");
    }

    public void Keep(string key, string note)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyFile)!);
        File.WriteAllText(KeyFile, key);
        File.WriteAllText(NoteFile, note);
    }
}
