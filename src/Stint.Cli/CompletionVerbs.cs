using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Scripts that let a shell complete verbs, options, roles and grants by asking <c>stint</c> itself.</summary>
internal static class CompletionVerbs
{
    private const string Bash = """
        _stint() {
            local line="${COMP_LINE:0:COMP_POINT}" cur="${COMP_WORDS[COMP_CWORD]}"
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(stint "[suggest:${COMP_POINT}]" "$line" 2>/dev/null)" -- "$cur"))
        }
        complete -o default -F _stint stint
        """;

    private const string Zsh = """
        #compdef stint
        _stint() {
            local -a found
            found=("${(@f)$(stint "[suggest:${CURSOR}]" "$BUFFER" 2>/dev/null)}")
            compadd -a found
        }
        compdef _stint stint
        """;

    private const string Fish = """
        function __stint_complete
            set -l line (commandline -cp)
            stint "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c stint -f -a '(__stint_complete)'
        """;

    public static Command All() => new("completion", "Print a completion script for your shell.")
    {
        Script("bash", Bash, "source <(stint completion bash)"),
        Script("zsh", Zsh, "source <(stint completion zsh)"),
        Script("fish", Fish, "stint completion fish | source"),
    };

    private static Command Script(string shell, string text, string use) =>
        Verb.Does(new Command(shell, $"For {shell}: {use}"), (verb, _) =>
        {
            verb.Terminal.Answer(new JsonObject { ["shell"] = shell, ["script"] = text + "\n", ["use"] = use }, () => Console.Out.WriteLine(text));
            return Task.FromResult(ExitCode.Ok);
        });
}
