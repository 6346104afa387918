using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Stint.Core;
using Stint.Server.Store;

namespace Stint.Server.Identity.Accounts;

/// <summary>What came of holding a password against a hash.</summary>
internal enum PasswordCheck
{
    Wrong = 1,
    Right = 2,

    /// <summary>It is right, and its hash costs less than one made now.</summary>
    RightAndOld = 3,

    /// <summary>Too many wait to be looked at; it was not.</summary>
    Busy = 4,
}

/// <summary>Makes and checks hashes of passwords: PBKDF2 with HMAC-SHA-512, a salt of 128 bits, by ASP.NET Core Identity.</summary>
/// <remarks>
/// A password is what it is in Unicode's form KC, as NIST SP 800-63B, section 5.1.1.2, has it: composed alike, whatever keyboard it is typed on.
/// NB. One costs a tenth of a second of a processor, and whoever is not signed in may ask for it: half of the processors
/// do it and no more, and whoever finds a line too long is sent away.
/// </remarks>
/// <param name="iterations">For tests; null for <see cref="Iterations"/>.</param>
internal sealed class Passwords(int? iterations = null) : IDisposable
{
    /// <summary>OWASP Password Storage Cheat Sheet, for PBKDF2-HMAC-SHA512: 210,000 at least.</summary>
    public const int Iterations = 220_000;

    private const int MostWaiting = 64;

    private readonly PasswordHasher<LocalAccount> _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = iterations ?? Iterations }));
    private readonly SemaphoreSlim _turn = new(Math.Max(1, Environment.ProcessorCount / 2));
    private string? _nobodys;
    private int _waiting;

    /// <summary>The hash to keep of a password.</summary>
    public Task<string?> HashAsync(string password, CancellationToken cancellation) => InTurnAsync(() => (string?)_hasher.HashPassword(null!, Nfkc.Of(password)), null, cancellation);

    /// <summary>Holds a password against a hash.</summary>
    /// <param name="hash">Null when there is none: the same work is done, and it is wrong.</param>
    /// <param name="password">As it was typed.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public Task<PasswordCheck> CheckAsync(string? hash, string password, CancellationToken cancellation) => InTurnAsync(
        () =>
        {
            // NB. Made once, of what nobody can type: who is not there takes as long as who is.
            _nobodys ??= _hasher.HashPassword(null!, "\0" + Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)));
            if (password.Length > PasswordRules.Most * 4)
            {
                password = "";
            }

            var result = _hasher.VerifyHashedPassword(null!, hash ?? _nobodys, Nfkc.Of(password));
            return hash is null ? PasswordCheck.Wrong : result switch
            {
                PasswordVerificationResult.Success => PasswordCheck.Right,
                PasswordVerificationResult.SuccessRehashNeeded => PasswordCheck.RightAndOld,
                _ => PasswordCheck.Wrong,
            };
        },
        PasswordCheck.Busy,
        cancellation);

    public void Dispose() => _turn.Dispose();

    private async Task<T> InTurnAsync<T>(Func<T> act, T busy, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return busy;
        }

        try
        {
            await _turn.WaitAsync(cancellation);
            try
            {
                return await Task.Run(act, cancellation);
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
