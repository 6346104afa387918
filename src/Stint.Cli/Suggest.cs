using System.CommandLine.Completions;

namespace Stint.Cli;

/// <summary>Names from the server for shell completion. A shell that completes is never told of a trouble, and never waits long.</summary>
internal static class Suggest
{
    public static IEnumerable<string> Roles(CompletionContext context) => Names(context, "api/v1/roles", "role");

    public static IEnumerable<string> Grants(CompletionContext context) => Names(context, "api/v1/grants?mine=true&state=ready,opening,open", "id");

    private static IEnumerable<string> Names(CompletionContext context, string path, string field)
    {
        try
        {
            var login = Login.Find(context.ParseResult.GetValue(Verb.Server), context.ParseResult.GetValue(Verb.Authority));
            if (login.Token is null)
            {
                return [];
            }

            using var client = new StintClient(login);
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            var items = Task.Run(() => client.ListAsync(path, 200, bound.Token), bound.Token).GetAwaiter().GetResult();
            return [.. items.Select(item => (string)item[field]!)];
        }
        catch (Exception e) when (e is CommandFailed or OperationCanceledException or HttpRequestException or IOException)
        {
            return [];
        }
    }
}
