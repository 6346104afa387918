using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity.Accounts;

/// <summary>Lets somebody in by a passkey: it says who they are, so that nobody types a name.</summary>
internal sealed class SignInByPasskey(StintStore store, CurrentCatalog catalog, Passkeys passkeys)
{
    /// <summary>Holds an answer of a browser against what it was asked.</summary>
    /// <param name="credential">The answer.</param>
    /// <param name="state">What was asked.</param>
    /// <param name="only">Whose it has to be; null for anybody's.</param>
    /// <param name="context">The call.</param>
    public async Task<Try> TryAsync(string credential, string state, SubjectId? only, HttpContext context)
    {
        if (await passkeys.ProvedAsync(credential, state, context) is not { } proof
            || (only is { } person && proof.Account.Person != person)
            || !catalog.Now.IsActive(proof.Account.Person))
        {
            return new Try.Refused();
        }

        return await store.WriteAsync(async work => await passkeys.NoteAsync(work, proof), context.RequestAborted)
            ? new Try.LetIn(proof.Account.Person, "passkey")
            : new Try.Refused();
    }
}
