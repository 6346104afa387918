using System.Net;
using Stint.Core;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>What came of trying a code.</summary>
internal abstract record CodeLogin
{
    private CodeLogin()
    {
    }

    /// <summary>It was right, and is used up.</summary>
    /// <param name="Secret">The bearer token, shown this once.</param>
    /// <param name="Person">Whose.</param>
    /// <param name="ExpiresAt">Until before when it lets in.</param>
    /// <param name="Left">How many codes they have left.</param>
    public sealed record LetIn(string Secret, SubjectId Person, DateTimeOffset ExpiresAt, int Left) : CodeLogin;

    /// <summary>The one answer to a wrong code, a used one, a void one, and to somebody unknown or disabled.</summary>
    public sealed record Refused : CodeLogin;

    /// <summary>Tried too often.</summary>
    /// <param name="Wait">How long to wait.</param>
    public sealed record TooMany(TimeSpan Wait) : CodeLogin;
}

/// <summary>Changes a one-time code for a way in that lasts an hour and opens break-glass alone. It needs the store and nothing else.</summary>
internal sealed class LoginByCode(StintStore store, CurrentCatalog catalog, IdSource ids, TimeProvider clock)
{
    /// <summary>How long the way in lasts.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromHours(1);

    /// <summary>Tries of one address in a minute, and of one name from wherever.</summary>
    /// <remarks>NB. A name may be tried more often than an address: whoever floods a name must not lock its owner out on the very day.</remarks>
    public const int TriesPerAddress = 10;

    /// <inheritdoc cref="TriesPerAddress"/>
    public const int TriesPerPerson = 60;

    /// <summary>What its tokens begin with, so that a look at one says what it is.</summary>
    public const string Prefix = "stg_";

    private const int LongestName = 64;

    private readonly RateLimit<IPAddress> _addresses = new(TriesPerAddress, clock);
    private readonly RateLimit<string> _persons = new(TriesPerPerson, clock);
    private readonly RefusalCount _refused = new(store, clock, Facts.BreakGlassRefused);

    /// <summary>Tries a code.</summary>
    /// <param name="person">Who they say they are.</param>
    /// <param name="typed">What they typed.</param>
    /// <param name="address">Where they come from, as one counts addresses.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<CodeLogin> TryAsync(string person, string typed, IPAddress address, CancellationToken cancellation)
    {
        var name = person.Length > LongestName ? person[..LongestName] : person;
        if ((_addresses.Take(address) ?? _persons.Take(name)) is { } wait)
        {
            return new CodeLogin.TooMany(wait);
        }

        // NB. Whatever is wrong, the same is done: a hash is made, and the store is asked for it under that name.
        var who = new SubjectId(name);
        var code = BreakGlassCode.Hash(who, BreakGlassCode.Read(typed) ?? "");
        var right = await store.ReadAsync(async reads => await reads.HasCodeAsync(who, code), cancellation);
        if (right && catalog.Now.IsActive(who) && await LetInAsync(who, code, address, cancellation) is { } let)
        {
            Measures.GlassLogins.Add(1, new KeyValuePair<string, object?>("outcome", "let_in"));
            return let;
        }

        Measures.GlassLogins.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));
        await _refused.AddAsync(address, cancellation);
        return new CodeLogin.Refused();
    }

    /// <summary>Whose way in a token is; null when it is nobody's, is over, or its person is disabled.</summary>
    public async Task<Core.Catalog.Person?> FindAsync(string token, CancellationToken cancellation)
    {
        if (!Secrets.MayBe(token, Prefix))
        {
            return null;
        }

        var hash = Secrets.HashOf(token);
        return await store.ReadAsync(async reads => await reads.FindPassAsync(hash), cancellation) is { } pass
            && pass.ExpiresAt > clock.Now()
            && catalog.Now.People.TryGetValue(pass.Person.Value, out var person) && !person.Disabled
            ? person
            : null;
    }

    private async Task<CodeLogin.LetIn?> LetInAsync(SubjectId who, byte[] code, IPAddress address, CancellationToken cancellation)
    {
        var token = Prefix + ids.NextSecret();
        return await store.WriteAsync(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                var pass = new GlassPass(Secrets.HashOf(token), who, now, now + Lasts);

                // NB. Two who type it at once: one of them changes the row, the other finds it used.
                if (!await work.UseCodeAsync(code, pass))
                {
                    return null;
                }

                var left = await work.CodesLeftAsync(who);
                work.Append(Facts.BreakGlassLoggedIn(who, address.ToString(), left, pass.ExpiresAt, now));
                return new CodeLogin.LetIn(token, who, pass.ExpiresAt, left);
            },
            cancellation);
    }
}
