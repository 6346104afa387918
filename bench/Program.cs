using System.Globalization;
using Stint.Bench;

if (args is ["--bare", var port, var bytes])
{
    return await Reading.ServeBareAsync(int.Parse(port, CultureInfo.InvariantCulture), Convert.FromBase64String(bytes));
}

Question[] questions =
[
    new Relay(), new RelayTls(), new Logins(), new IdleSessions(), new CopyOut(), new Auditing(),
    new Ending(), new Stopping(), new EndingElsewhere(),
    new Asking(), new Holding(), new Directories(), new Deciding(), new Engines(), new Conditions(), new Appending(), new LogVerifying(), new Reading(), new Starting(),
];
var rounds = 5;
var names = new List<string>();
for (var i = 0; i < args.Length; i++)
{
    if (args[i] == "--rounds" && i + 1 < args.Length && int.TryParse(args[++i], CultureInfo.InvariantCulture, out var given) && given > 0)
    {
        rounds = given;
    }
    else if (args[i] == "--only" && i + 1 < args.Length)
    {
        Question.Only = args[++i].Split(',', StringSplitOptions.RemoveEmptyEntries);
    }
    else if (questions.Any(question => question.Name == args[i]))
    {
        names.Add(args[i]);
    }
    else
    {
        Console.Error.WriteLine("bench/run [QUESTION …] [--rounds N] [--only WORD[,WORD …]]");
        foreach (var question in questions)
        {
            Console.Error.WriteLine($"  {question.Name,-10} {question.Asks}");
        }

        return 2;
    }
}

var missed = 0;
foreach (var question in questions.Where(question => names.Count == 0 || names.Contains(question.Name)))
{
    Console.WriteLine($"\n{question.Name}: {question.Asks} ({rounds} rounds)");
    Console.WriteLine($"{"case",-34} {"unit",-10} {"ours",11} {"peer",11} {"",-14} {"ratio",7}  goal");
    IReadOnlyList<Row> rows;
    try
    {
        rows = await question.AnswerAsync(rounds);
    }
    catch (InvalidOperationException failed)
    {
        Console.Error.WriteLine($"{question.Name} has no answer: {failed.Message}");
        return 1;
    }

    foreach (var row in rows)
    {
        var met = row.Met switch { true => "met", false => "NOT MET", null => "" };
        missed += row.Met == false ? 1 : 0;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Case,-34} {row.Unit,-10} {Figure(row.Ours),11} {Figure(row.Peer),11} {row.PeerName,-14} {Figure(row.Ratio),7}  {row.Goal} {met}"));
    }
}

Console.WriteLine(missed == 0 ? "\nEvery goal is met." : $"\n{missed} goals are not met.");
return 0;

static string Figure(double value) => value switch
{
    double.NaN => "",
    >= 1000 => value.ToString("N0", CultureInfo.InvariantCulture),
    > 0 and < 0.01 => string.Create(CultureInfo.InvariantCulture, $"1/{1 / value:0}"),
    _ => value.ToString("0.00", CultureInfo.InvariantCulture),
};
