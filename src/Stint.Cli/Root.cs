using System.CommandLine;
using System.CommandLine.Completions;

namespace Stint.Cli;

/// <summary>The whole command line.</summary>
internal static class Root
{
    public static RootCommand Build()
    {
        var root = new RootCommand("Access for a stint: ask for it, use it, and it ends by itself.")
        {
            Verb.Server, Verb.Authority, Verb.TokenFile, Verb.Json,
        };
        Command[] verbs =
        [
            .. RequestVerbs.All(), .. ApprovalVerbs.All(), .. BreakGlassVerbs.All(), .. ReviewVerbs.All(), .. PeopleVerbs.All(), .. ExplainVerbs.All(), .. GrantVerbs.All(), .. ConnectVerbs.All(), .. SshVerbs.All(), SessionVerbs.All(), .. LoginVerbs.All(), .. TokenVerbs.All(), .. ServeVerbs.All(), CatalogVerbs.All(), AuditVerbs.All(), CompletionVerbs.All(),
        ];
        foreach (var directive in root.Directives.OfType<SuggestDirective>())
        {
            directive.Action = new SuggestAction();
        }

        foreach (var verb in verbs)
        {
            root.Add(verb);
        }

        RefuseMistypedOptions(root);

        return root;
    }

    private static void RefuseMistypedOptions(Command command)
    {
        foreach (var argument in command.Arguments)
        {
            argument.Validators.Add(result =>
            {
                if (Verb.MistypedOption(result) is { } option)
                {
                    result.AddError($"'{option}' is not understood here.");
                }
            });
        }

        foreach (var below in command.Subcommands)
        {
            RefuseMistypedOptions(below);
        }
    }
}
