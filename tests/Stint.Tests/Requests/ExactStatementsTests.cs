using System.Text;
using System.Text.Json;
using Stint.Core.Audit;
using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Requests;

public class ExactStatementsTests
{
    [Fact]
    public void Check_AllThatIsWrong_IsToldAtOnce_WithItsPlace()
    {
        var problems = new List<string>();
        var read = ExactStatements.Check(
            [
                new AskedDetail("payment_initiation", [new AskedStatement("select 1", null, false, null)]),
                new AskedDetail(null, null),
                new AskedDetail(ExactStatements.Type, []),
                new AskedDetail(ExactStatements.Type, [
                    new AskedStatement(" ;\n", null, false, null),
                    new AskedStatement("select 1 -- \u202e evil", null, false, null),
                    new AskedStatement("select 1\0; drop table x", null, false, null),
                    new AskedStatement("select $1", ["a", "\u001b[2J"], false, 0),
                    new AskedStatement("select $1", ["a"], true, ExactStatements.MostTimes + 1)]),
            ],
            (where, what, _) => problems.Add($"{where}: {what}"));

        Assert.Null(read);
        Assert.Equal(
            [
                "authorization_details[0].type: this type is not known here, so that nobody could hold anyone to it",
                "authorization_details[1].type: it has no type",
                "authorization_details[2].statements: it names no statement",
                "authorization_details[3].statements[0].sql: it has no text",
                "authorization_details[3].statements[1].sql: it holds characters that cannot be shown",
                "authorization_details[3].statements[2].sql: it holds characters that cannot be shown",
                "authorization_details[3].statements[3].parameters[1]: it holds characters that cannot be shown",
                "authorization_details[3].statements[3].times: this is not how often a statement can be allowed to run",
                "authorization_details[3].statements[4].any_parameters: its parameters cannot be listed and be any at once",
                "authorization_details[3].statements[4].times: this is not how often a statement can be allowed to run",
            ],
            problems);
    }

    [Theory]
    [InlineData(51, 10, "it names more than 50 statements")]
    [InlineData(2, 40_000, "its texts are longer than 64 KiB together")]
    public void Check_MoreThanAnybodyReads_IsRefused(int count, int length, string because)
    {
        var problems = new List<string>();
        Assert.Null(Checked(problems, [.. Enumerable.Range(0, count).Select(at => new AskedStatement($"select {at}{new string('x', length)}", null, false, null))]));
        Assert.Equal([$"authorization_details: {because}"], problems);
    }

    [Fact]
    public void Check_TheSameTwice_IsRefused_AndWithOtherParametersIsNot()
    {
        var problems = new List<string>();
        Assert.Null(Checked(problems, new AskedStatement("select 1", null, false, 1), new AskedStatement("select 1 ;", [], false, 2)));
        Assert.Equal(["authorization_details: a statement is named twice"], problems);
        Assert.Equal(2, Checked([], new AskedStatement("select $1", ["1"], false, null), new AskedStatement("select $1", ["2"], false, null))!.List.Count);
        Assert.Equal(["authorization_details: it is empty"], Problems([]));
    }

    [Fact]
    public void Find_WhiteSpaceAndSemicolonsBehind_DoNotCount_AndNothingElseIsForgiven()
    {
        var listed = ExactStatements.Of("\n update orders\tset a = 'ß' ; ", "select 1");

        Assert.Equal([0], listed.Find("update orders\tset a = 'ß'"u8));
        Assert.Equal([0], listed.Find("update orders\tset a = 'ß';;\r\n ;"u8));
        foreach (var other in (string[])[" update orders\tset a = 'ß'", "update orders set a = 'ß'", "UPDATE orders\tset a = 'ß'", "update orders\tset a = 'ß'; select 1", "update orders\tset a = 'ß' --", "", ";", "select 1\0", "select 1\u00a0"])
        {
            Assert.Empty(listed.Find(Encoding.UTF8.GetBytes(other)));
        }

        // The same letters in another encoding, and composed in another way, are other bytes.
        Assert.Empty(listed.Find(Encoding.Latin1.GetBytes("update orders\tset a = 'ß'")));
    }

    [Fact]
    public void Text_IsReadBackAsItWas_AndNothingElseIsRead()
    {
        var all = Checked([], new AskedStatement("select $1, $2 -- \"größer\"\n", ["a", null], false, 3), new AskedStatement("select $1", null, true, null), new AskedStatement("select 1", [], false, null))!;

        Assert.Equal(
            """[{"type":"stint:statements","statements":[{"sql":"select $1, $2 -- \u0022gr\u00F6\u00DFer\u0022","parameters":["a",null],"times":3},{"sql":"select $1","any_parameters":true},{"sql":"select 1"}]}]""",
            all.Text);
        Assert.Equal(all, ExactStatements.Parse(all.Text));
        Assert.Null(ExactStatements.Parse(all.Text).List[1].Parameters);
        Assert.Empty(ExactStatements.Parse(all.Text).List[2].Parameters!);
        foreach (var other in (string[])["", "[]", "{}", "[{\"type\":\"stint:statements\",\"statements\":[]}]", all.Text + " ", all.Text.Replace("true", "false", StringComparison.Ordinal)])
        {
            Assert.Throws<FormatException>(() => ExactStatements.Parse(other));
        }
    }

    [Fact]
    public void Fact_HoldsThemWhole_EveryNameClassified()
    {
        var all = Checked([], new AskedStatement("select $1", ["a"], false, 3), new AskedStatement("select $1", null, true, null))!;
        var fact = new Fact(FactKinds.RequestAsked, DateTimeOffset.UnixEpoch, Actor.Keeper) { ["authorization_details"] = FactValue.Own(all.ToNode()) };

        var body = fact.Seal(0).Body;
        Assert.DoesNotContain(FieldClasses.Withheld, body, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(body);
        Assert.Equal(all.Canonical, json.RootElement.GetProperty("fields").GetProperty("authorization_details").GetRawText());
        Assert.Equal([FieldClass.Personal, FieldClass.Personal, FieldClass.Personal], ((string[])["authorization_details", "sql", "parameters"]).Select(FieldClasses.Of));
    }

    private static List<string> Problems(IReadOnlyList<AskedDetail> details)
    {
        var problems = new List<string>();
        Assert.Null(ExactStatements.Check(details, (where, what, _) => problems.Add($"{where}: {what}")));
        return problems;
    }

    private static ExactStatements? Checked(List<string> problems, params AskedStatement[] statements) =>
        ExactStatements.Check([new AskedDetail(ExactStatements.Type, statements)], (where, what, _) => problems.Add($"{where}: {what}"));
}
