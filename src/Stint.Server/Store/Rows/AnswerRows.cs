namespace Stint.Server.Store;

/// <summary>What a creating call was answered, so that its repetition gets the same.</summary>
/// <param name="Subject">Who called; keys of different callers never meet.</param>
/// <param name="Key">Their Idempotency-Key.</param>
/// <param name="Asked">SHA-256 of the call; another call under the same key is a mistake of the caller.</param>
/// <param name="Status">HTTP status of the answer.</param>
/// <param name="Body">Its body.</param>
/// <param name="At">When.</param>
internal sealed record KeptAnswer(Core.SubjectId Subject, string Key, byte[] Asked, int Status, string Body, DateTimeOffset At);

internal partial class Reads
{
    /// <summary>The answer that was given under a key; null when none was.</summary>
    public ValueTask<KeptAnswer?> FindAnswerAsync(Core.SubjectId subject, string key) => Db.OneAsync(
        "SELECT subject, idem_key, asked, status, body, at FROM answers WHERE subject = $1 AND idem_key = $2",
        static row =>
        {
            var c = new Columns(row);
            return new KeptAnswer(new Core.SubjectId(c.Text()), c.Text(), c.Bytes(), (int)c.Number(), c.Text(), c.Time());
        },
        subject.Value,
        key);
}

internal sealed partial class Work
{
    /// <summary>Keeps an answer, in the write that made what it tells of.</summary>
    /// <returns>False when one stands under the key already: undo the write and give that one.</returns>
    public async ValueTask<bool> InsertAsync(KeptAnswer answer) => await Db.RunAsync(
        "INSERT INTO answers (subject, idem_key, asked, status, body, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject, idem_key) DO NOTHING",
        answer.Subject.Value,
        answer.Key,
        answer.Asked,
        answer.Status,
        answer.Body,
        answer.At) == 1;

    /// <summary>Forgets answers given before then.</summary>
    /// <returns>How many.</returns>
    public ValueTask<int> ForgetAnswersAsync(DateTimeOffset before) => Db.RunAsync("DELETE FROM answers WHERE at < $1", before);
}
