using System.Net;
using Stint.Core;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>The two codes of a command line that wants in, shown this once.</summary>
/// <param name="Secret">What it polls with.</param>
/// <param name="UserCode">What its person types into a browser.</param>
/// <param name="Asking">What is kept of it.</param>
internal sealed record StartedAsking(string Secret, string UserCode, CliAsking Asking);

/// <summary>Command lines that want in for a person, and the person's answers in a browser (RFC 8628; RFC 8252).</summary>
internal sealed class CliAskings(StintStore store, CurrentCatalog catalog, IdSource ids, TimeProvider clock)
{
    /// <summary>The one client: this project's command line. It has no secret.</summary>
    public const string Client = "stint-cli";

    /// <summary>What the code begins with that a command line polls with.</summary>
    public const string DevicePrefix = "stint_d_";

    /// <summary>What the code begins with that a browser brings to its own machine.</summary>
    public const string CodePrefix = "stint_c_";

    /// <summary>How long a person has to answer.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromMinutes(10);

    /// <summary>How long a code counts that a browser brings.</summary>
    public static readonly TimeSpan CodeLasts = TimeSpan.FromSeconds(60);

    /// <summary>How long a command line waits between two polls, at the least.</summary>
    public static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(5);

    /// <summary>Command lines of one address that may ask in a minute.</summary>
    public const int AskingsPerAddress = 10;

    /// <summary>Wrong codes that a person may type in a minute, in however many browsers.</summary>
    public const int WrongPerPerson = 5;

    private const int LongestShown = 64;

    private readonly RateLimit<IPAddress> _askings = new(AskingsPerAddress, clock);
    private readonly RateLimit<SubjectId> _wrong = new(WrongPerPerson, clock);

    /// <summary>Counts an asking of an address.</summary>
    /// <returns>How long to wait before the next; null when this one may pass.</returns>
    public TimeSpan? Take(IPAddress address) => _askings.Take(address);

    /// <summary>What is wrong with what a command line says of itself; null when nothing is.</summary>
    public static string? Odd(string? text) => text is null || (text.Length <= LongestShown && Core.Catalog.Words.IsShowable(text, newLines: false)) ? null : $"must be one line of at most {LongestShown} characters that can be shown";

    /// <summary>Begins one that waits for its person to type a code.</summary>
    public async Task<StartedAsking> StartAsync(CliSelf self, CancellationToken cancellation)
    {
        while (true)
        {
            var (secret, typed) = (DevicePrefix + ids.NextSecret(), UserCode.Make(ids));
            var now = Stored.Round(clock.Now());
            var asking = new CliAsking
            {
                Hash = Secrets.HashOf(secret),
                UserCode = Secrets.HashOf(typed),
                Self = self,
                MadeAt = now,
                ExpiresAt = now + Lasts,
                PollEvery = PollEvery,
                State = CliAskingState.Waiting,
            };
            if (await store.WriteAsync(async work => await work.InsertAsync(asking), cancellation))
            {
                return new StartedAsking(secret, typed, asking);
            }
        }
    }

    /// <summary>What stands behind a code that somebody typed.</summary>
    /// <param name="who">Who typed it.</param>
    /// <param name="typed">What.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <returns>One that waits for an answer; wrong codes, those that are over and those that were answered are one refusal.</returns>
    public async Task<Outcome<CliAsking>> FindAsync(SubjectId who, string? typed, CancellationToken cancellation)
    {
        // NB. Whoever guesses another's code could have the other's command line log in as themselves: few wrong ones, and none once there were too many.
        if (_wrong.Peek(who) is { } wait)
        {
            return new Outcome<CliAsking>.Refused("too many wrong codes", $"try again in {Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds))} s");
        }

        if (UserCode.Read(typed) is { } code)
        {
            var hash = Secrets.HashOf(code);
            if (await store.ReadAsync(async reads => await reads.FindTypedAsync(hash), cancellation) is { State: CliAskingState.Waiting } asking && asking.ExpiresAt > clock.Now())
            {
                return new Outcome<CliAsking>.Done(asking);
            }
        }

        _wrong.Take(who);
        return new Outcome<CliAsking>.NotFound();
    }

    /// <summary>Keeps a person's answer to the command line behind a code.</summary>
    public async Task<Outcome<CliAsking>> AnswerAsync(CliProof proof, string? typed, bool yes, CancellationToken cancellation)
    {
        var found = await FindAsync(proof.Person, typed, cancellation);
        if (found is not Outcome<CliAsking>.Done { Value: var asking })
        {
            return found;
        }

        return await store.WriteAsync<Outcome<CliAsking>>(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                if (!catalog.Now.IsActive(proof.Person) || !await work.AnswerAsync(asking, proof, yes, now))
                {
                    return new Outcome<CliAsking>.LostRace("it is over, or was answered already", null);
                }

                work.Append(Facts.CliAnswered(asking, proof, yes, now));
                return new Outcome<CliAsking>.Done(asking with { State = yes ? CliAskingState.Allowed : CliAskingState.Denied, Proof = proof });
            },
            cancellation);
    }

    /// <summary>Keeps a person's yes to a command line on the machine of their browser.</summary>
    /// <param name="proof">Whose yes.</param>
    /// <param name="redirect">Where the browser brings the code, as <see cref="Loopback.Read"/> let it pass.</param>
    /// <param name="challenge">What the command line's verifier hashes to.</param>
    /// <param name="self">What it says of itself.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <returns>The code, shown this once.</returns>
    public async Task<Outcome<string>> AllowAsync(CliProof proof, string redirect, string challenge, CliSelf self, CancellationToken cancellation)
    {
        var code = CodePrefix + ids.NextSecret();
        return await store.WriteAsync<Outcome<string>>(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                if (!catalog.Now.IsActive(proof.Person))
                {
                    return new Outcome<string>.NotFound();
                }

                var asking = new CliAsking
                {
                    Hash = Secrets.HashOf(code),
                    Challenge = challenge,
                    Redirect = redirect,
                    Self = self,
                    MadeAt = now,
                    ExpiresAt = now + CodeLasts,
                    State = CliAskingState.Allowed,
                    Proof = proof,
                };
                await work.InsertAsync(asking);
                work.Append(Facts.CliAnswered(asking, proof, yes: true, now));
                return new Outcome<string>.Done(code);
            },
            cancellation);
    }
}
