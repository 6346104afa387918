using System.Data.Common;
using System.Security.Cryptography;
using Stint.Core;

namespace Stint.Server.Store;

/// <summary>How far a command line is that wants in.</summary>
internal enum CliAskingState
{
    /// <summary>Nobody has answered in a browser. That it is over by time is not said here.</summary>
    Waiting = 1,

    /// <summary>Its person said yes, and it has not fetched its tokens yet.</summary>
    Allowed = 2,

    /// <summary>Its person said no.</summary>
    Denied = 3,

    /// <summary>Its code was shown: for tokens, or with something wrong about it, and then for nothing.</summary>
    Used = 4,
}

/// <summary>That somebody proved who they are, in a browser.</summary>
/// <param name="Person">Who.</param>
/// <param name="SignIn">Name of the browser's sign-in.</param>
/// <param name="By">How they proved it.</param>
/// <param name="At">When.</param>
internal sealed record CliProof(SubjectId Person, string SignIn, string By, DateTimeOffset At);

/// <summary>What a command line says of itself, and where it called from.</summary>
/// <param name="Host">What it calls its machine. NB. Anybody can say anything here.</param>
/// <param name="Version">What it calls its version; the same holds.</param>
/// <param name="Address">Where it called from; of one at its person's browser, the browser's.</param>
internal sealed record CliSelf(string Host, string Version, string Address);

/// <summary>A command line that wants in for a person. Its codes are nowhere.</summary>
internal sealed record CliAsking
{
    /// <summary>SHA-256 of the code that it shows.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>SHA-256 of the code that its person types; null for one that a browser on its own machine brings its code.</summary>
    public byte[]? UserCode { get; init; }

    /// <summary>What its verifier hashes to (RFC 7636); null where a code is typed.</summary>
    public string? Challenge { get; init; }

    /// <summary>Where the browser brings the code; null where one is typed.</summary>
    public string? Redirect { get; init; }

    public required CliSelf Self { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>How long it waits between two polls, at the least.</summary>
    public TimeSpan PollEvery { get; init; }

    /// <summary>When it polled last; null for never.</summary>
    public DateTimeOffset? PolledAt { get; init; }

    public required CliAskingState State { get; init; }

    /// <summary>Who answered; null while nobody has.</summary>
    public CliProof? Proof { get; init; }

    /// <summary>Name of what it was let in as; null for nothing.</summary>
    public string? Login { get; init; }

    /// <summary><c>device</c> or <c>loopback</c>.</summary>
    public string Kind => UserCode is null ? "loopback" : "device";
}

/// <summary>A command line that was let in. Its tokens are nowhere.</summary>
internal sealed record CliLogin
{
    /// <summary>Its name: <c>cli-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>device</c> or <c>loopback</c>.</summary>
    public required string Kind { get; init; }

    public required CliProof Proof { get; init; }

    public required CliSelf Self { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>When it fetched tokens last.</summary>
    public required DateTimeOffset UsedAt { get; init; }

    /// <summary>Until before when it counts, however much it is used.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was ended; null while it was not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    public SubjectId Person => Proof.Person;
}

/// <summary>What became of two tokens.</summary>
internal enum CliPairState
{
    /// <summary>They count.</summary>
    Live = 1,

    /// <summary>The next two were fetched with them. The one that lets in does so until its own end.</summary>
    Replaced = 2,

    /// <summary>Their answer was lost, or so it seemed, and others were given in their place: neither counts.</summary>
    Void = 3,
}

/// <summary>Two tokens of a command line, as their hashes.</summary>
/// <param name="Login">Whose.</param>
/// <param name="Access">Of the one that lets in.</param>
/// <param name="Refresh">Of the one that fetches the next two.</param>
/// <param name="ComesOf">Of the one that fetched these; null for the first two.</param>
/// <param name="MadeAt">When.</param>
/// <param name="AccessUntil">Until before when the first counts.</param>
/// <param name="RefreshUntil">Until before when the second does.</param>
/// <param name="State">What became of them.</param>
/// <param name="ReplacedAt">When that was; null while they count.</param>
internal sealed record CliPair(string Login, byte[] Access, byte[] Refresh, byte[]? ComesOf, DateTimeOffset MadeAt, DateTimeOffset AccessUntil, DateTimeOffset RefreshUntil, CliPairState State, DateTimeOffset? ReplacedAt);

internal partial class Reads
{
    private protected const string CliAskingColumns = "hash, user_code, challenge, redirect, host, version, address, made_at, expires_at, poll_every, polled_at, state, person, sign_in, proved_by, proved_at, login";
    private const string CliLoginColumns = "id, kind, person, sign_in, proved_by, proved_at, host, version, address, made_at, used_at, expires_at, ended_at";
    private const string CliPairColumns = "login_id, access, refresh, comes_of, made_at, access_until, refresh_until, state, replaced_at";

    /// <summary>By the code that it shows. Inside a write it stays as found until the commit.</summary>
    public async ValueTask<CliAsking?> FindCliAskingAsync(byte[] hash) =>
        await Db.OneAsync($"SELECT {CliAskingColumns} FROM cli_askings WHERE hash = $1{Lock}", ReadCliAsking, hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Hash, hash) ? found : null;

    /// <summary>By the code that its person types. Inside a write it stays as found until the commit.</summary>
    public async ValueTask<CliAsking?> FindTypedAsync(byte[] code) =>
        await Db.OneAsync($"SELECT {CliAskingColumns} FROM cli_askings WHERE user_code = $1{Lock}", ReadCliAsking, code) is { } found && CryptographicOperations.FixedTimeEquals(found.UserCode, code) ? found : null;

    /// <summary>By its name. Inside a write it stays as found until the commit.</summary>
    public ValueTask<CliLogin?> FindCliLoginAsync(string id) => Db.OneAsync($"SELECT {CliLoginColumns} FROM cli_logins WHERE id = $1{Lock}", ReadCliLogin, id);

    /// <summary>Those that count, newest first.</summary>
    /// <param name="person">Whose; null for everybody's.</param>
    /// <param name="now">The time.</param>
    /// <param name="most">How many at the most.</param>
    public ValueTask<List<CliLogin>> CliLoginsAsync(SubjectId? person, DateTimeOffset now, int most) => Db.ListAsync(
        $"SELECT {CliLoginColumns} FROM cli_logins WHERE ($1 = '' OR person = $1) AND ended_at IS NULL AND expires_at > $2 ORDER BY seq DESC LIMIT $3", ReadCliLogin, person?.Value ?? "", now, most);

    /// <summary>Those that count and were let in from browsers that a provider let in: of one of its subjects, of one of its sessions, or of both. Whether those browsers are still signed in does not matter.</summary>
    public ValueTask<List<CliLogin>> CliLoginsAsync(string provider, string? subject, string? session, DateTimeOffset now) => Db.ListAsync(
        $"SELECT {CliLoginColumns} FROM cli_logins WHERE ended_at IS NULL AND expires_at > $2 AND sign_in IN "
        + "(SELECT id FROM web_sessions WHERE provider = $1 AND ($3 = '' OR provider_subject = $3) AND ($4 = '' OR provider_session = $4)) ORDER BY seq",
        ReadCliLogin,
        provider,
        now,
        subject ?? "",
        session ?? "");

    /// <summary>Two tokens, by the one that lets in; null when there are none, or they are void.</summary>
    public async ValueTask<CliPair?> FindByAccessAsync(byte[] hash) =>
        await Db.OneAsync($"SELECT {CliPairColumns} FROM cli_tokens WHERE access = $1 AND state <> 'void'", ReadCliPair, hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Access, hash) ? found : null;

    /// <summary>Two tokens, by the one that fetches the next, whatever became of them.</summary>
    public async ValueTask<CliPair?> FindByRefreshAsync(byte[] hash) =>
        await Db.OneAsync($"SELECT {CliPairColumns} FROM cli_tokens WHERE refresh = $1", ReadCliPair, hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Refresh, hash) ? found : null;

    /// <summary>The two tokens of a command line that count.</summary>
    public ValueTask<CliPair?> FindLivePairAsync(string login) => Db.OneAsync($"SELECT {CliPairColumns} FROM cli_tokens WHERE login_id = $1 AND state = 'live'", ReadCliPair, login);

    private static CliAsking ReadCliAsking(DbDataReader row)
    {
        var c = new Columns(row);
        return new CliAsking
        {
            Hash = c.Bytes(),
            UserCode = c.BytesOrNull(),
            Challenge = c.TextOrNull(),
            Redirect = c.TextOrNull(),
            Self = new CliSelf(c.Text(), c.Text(), c.Text()),
            MadeAt = c.Time(),
            ExpiresAt = c.Time(),
            PollEvery = c.Span(),
            PolledAt = c.TimeOrNull(),
            State = Words.CliAsking.Read(c.Text()),
            Proof = c.TextOrNull() is { } person ? new CliProof(new SubjectId(person), c.Text(), c.Text(), c.Time()) : Skip(ref c),
            Login = c.TextOrNull(),
        };

        static CliProof? Skip(ref Columns columns)
        {
            _ = (columns.TextOrNull(), columns.TextOrNull(), columns.TimeOrNull());
            return null;
        }
    }

    private static CliLogin ReadCliLogin(DbDataReader row)
    {
        var c = new Columns(row);
        return new CliLogin
        {
            Id = c.Text(),
            Kind = c.Text(),
            Proof = new CliProof(new SubjectId(c.Text()), c.Text(), c.Text(), c.Time()),
            Self = new CliSelf(c.Text(), c.Text(), c.Text()),
            MadeAt = c.Time(),
            UsedAt = c.Time(),
            ExpiresAt = c.Time(),
            EndedAt = c.TimeOrNull(),
        };
    }

    private static CliPair ReadCliPair(DbDataReader row)
    {
        var c = new Columns(row);
        return new CliPair(c.Text(), c.Bytes(), c.Bytes(), c.BytesOrNull(), c.Time(), c.Time(), c.Time(), Words.CliPair.Read(c.Text()), c.TimeOrNull());
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps one that asks.</summary>
    /// <returns>False when another has the same code to type.</returns>
    public async ValueTask<bool> InsertAsync(CliAsking asking) => await Db.RunAsync(
        $"INSERT INTO cli_askings ({CliAskingColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, $11, $12, $13, $14, $15, NULL) ON CONFLICT (user_code) DO NOTHING",
        asking.Hash,
        asking.UserCode,
        asking.Challenge,
        asking.Redirect,
        asking.Self.Host,
        asking.Self.Version,
        asking.Self.Address,
        asking.MadeAt,
        asking.ExpiresAt,
        asking.PollEvery,
        Words.CliAsking[asking.State],
        asking.Proof?.Person.Value,
        asking.Proof?.SignIn,
        asking.Proof?.By,
        asking.Proof?.At) == 1;

    /// <summary>Notes a poll of one that waits.</summary>
    public ValueTask<int> PolledAsync(CliAsking asking, DateTimeOffset at, TimeSpan pollEvery) =>
        Db.RunAsync("UPDATE cli_askings SET polled_at = $1, poll_every = $2 WHERE hash = $3 AND state = 'waiting'", at, pollEvery, asking.Hash);

    /// <summary>Keeps its person's answer.</summary>
    /// <returns>False when it was answered before, or is over.</returns>
    public async ValueTask<bool> AnswerAsync(CliAsking asking, CliProof proof, bool yes, DateTimeOffset at) => await Db.RunAsync(
        "UPDATE cli_askings SET state = $1, person = $2, sign_in = $3, proved_by = $4, proved_at = $5 WHERE hash = $6 AND state = 'waiting' AND expires_at > $7",
        Words.CliAsking[yes ? CliAskingState.Allowed : CliAskingState.Denied],
        proof.Person.Value,
        proof.SignIn,
        proof.By,
        proof.At,
        asking.Hash,
        at) == 1;

    /// <summary>Uses its code up.</summary>
    /// <param name="asking">Which.</param>
    /// <param name="login">What it is let in as; null for nothing.</param>
    /// <returns>False when it was used before.</returns>
    public async ValueTask<bool> UseAsync(CliAsking asking, string? login) =>
        await Db.RunAsync("UPDATE cli_askings SET state = 'used', login = $1 WHERE hash = $2 AND state = 'allowed'", login, asking.Hash) == 1;

    public ValueTask<int> InsertAsync(CliLogin login) => Db.RunAsync(
        "INSERT INTO cli_logins (id, kind, person, sign_in, proved_by, proved_at, host, version, address, made_at, used_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        login.Id,
        login.Kind,
        login.Person.Value,
        login.Proof.SignIn,
        login.Proof.By,
        login.Proof.At,
        login.Self.Host,
        login.Self.Version,
        login.Self.Address,
        login.MadeAt,
        login.UsedAt,
        login.ExpiresAt);

    public ValueTask<int> TouchCliLoginAsync(string id, DateTimeOffset at) => Db.RunAsync("UPDATE cli_logins SET used_at = $1 WHERE id = $2 AND ended_at IS NULL AND used_at < $1", at, id);

    /// <summary>Ends it, and with it its tokens.</summary>
    /// <returns>False when it was over already.</returns>
    public async ValueTask<bool> EndCliLoginAsync(string id, string reason, DateTimeOffset at) =>
        await Db.RunAsync("UPDATE cli_logins SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at IS NULL", at, reason, id) == 1;

    public ValueTask<int> InsertAsync(CliPair pair) => Db.RunAsync(
        "INSERT INTO cli_tokens (login_id, access, refresh, comes_of, made_at, access_until, refresh_until, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'live')",
        pair.Login,
        pair.Access,
        pair.Refresh,
        pair.ComesOf,
        pair.MadeAt,
        pair.AccessUntil,
        pair.RefreshUntil);

    /// <summary>Lets two tokens give way to the next.</summary>
    /// <returns>False when they did before.</returns>
    public async ValueTask<bool> ReplaceAsync(CliPair pair, CliPairState state, DateTimeOffset at) =>
        await Db.RunAsync("UPDATE cli_tokens SET state = $1, replaced_at = $2 WHERE refresh = $3 AND state = 'live'", Words.CliPair[state], at, pair.Refresh) == 1;

    /// <summary>Forgets what nobody can use any more: askings soon, command lines after some time.</summary>
    public async ValueTask ForgetCliAsync(DateTimeOffset askingsBefore, DateTimeOffset loginsBefore)
    {
        await Db.RunAsync("DELETE FROM cli_askings WHERE expires_at < $1", askingsBefore);
        await Db.RunAsync("DELETE FROM cli_tokens WHERE login_id IN (SELECT id FROM cli_logins WHERE expires_at < $1)", loginsBefore);
        await Db.RunAsync("DELETE FROM cli_logins WHERE expires_at < $1", loginsBefore);
    }
}
