using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Stint.Cli;

/// <summary>What a shell that completes is told: only what begins as the word does, and options only to whoever began one.</summary>
internal sealed class SuggestAction : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var line = parseResult.Tokens.LastOrDefault(token => token.Type != TokenType.Directive)?.Value ?? "";
        var directive = parseResult.Tokens.FirstOrDefault(token => token.Type == TokenType.Directive)?.Value ?? "";
        var at = int.TryParse(directive.Trim('[', ']').Split(':')[^1], out var position) && position < line.Length ? position : line.Length;
        foreach (var name in Of(line[..at]))
        {
            Console.Out.WriteLine(name);
        }

        return ExitCode.Ok;
    }

    /// <summary>What could stand where <paramref name="line"/> ends.</summary>
    public static IEnumerable<string> Of(string line)
    {
        var word = line[(line.LastIndexOf(' ') + 1)..];
        return Root.Build().Parse(line).GetCompletions(line.Length)
            .Select(item => item.InsertText ?? item.Label)
            .Where(name => name.StartsWith(word, StringComparison.Ordinal) && name.StartsWith('-') == word.StartsWith('-') && !name.StartsWith('/'))
            .Where(name => !name.StartsWith('-') || name.StartsWith("--", StringComparison.Ordinal) == word.StartsWith("--", StringComparison.Ordinal) || word == "-")
            .Distinct();
    }
}

/// <summary>Names from the server for shell completion. A shell that completes is never told of a trouble, and never waits long.</summary>
internal static class Suggest
{
    public static IEnumerable<string> Roles(CompletionContext context) => Names(context, "api/v1/roles", "role");

    /// <summary>What I may ask for: roles and bundles.</summary>
    public static IEnumerable<string> RolesAndBundles(CompletionContext context) => Roles(context).Concat(Names(context, "api/v1/bundles", "name"));

    /// <summary>What I keep to ask again.</summary>
    public static IEnumerable<string> Saved(CompletionContext context) => Names(context, "api/v1/requests/saved", "name");

    /// <summary>What I hold, by its name and by its role.</summary>
    public static IEnumerable<string> Grants(CompletionContext context) =>
        Names(context, "api/v1/grants?mine=true&state=ready,opening,open", "role", "id").Distinct();

    /// <summary>The names that a listing gives.</summary>
    public static IEnumerable<string> Ids(CompletionContext context, string path) => Names(context, path, "id");

    private static IEnumerable<string> Names(CompletionContext context, string path, params string[] fields)
    {
        try
        {
            var login = Login.Find(context.ParseResult.GetValue(Verb.Server), context.ParseResult.GetValue(Verb.Authority));
            if (login is { Token: null, Kept: null })
            {
                return [];
            }

            using var client = new StintClient(login);
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            var items = Task.Run(() => client.ListAsync(path, 50, bound.Token), bound.Token).GetAwaiter().GetResult();
            return [.. items.SelectMany(item => fields.Select(field => (string)item[field]!))];
        }
        catch (Exception e) when (e is CommandFailed or OperationCanceledException or HttpRequestException or IOException)
        {
            return [];
        }
    }
}
