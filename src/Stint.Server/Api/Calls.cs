using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>A creating call that carries an Idempotency-Key.</summary>
/// <param name="Key">The key, the caller's own.</param>
/// <param name="Asked">SHA-256 of method, path and body: another call under the same key is a mistake.</param>
internal sealed record KeyedCall(string Key, byte[] Asked)
{
    /// <summary>Longest key.</summary>
    public const int MostCharacters = 128;

    /// <summary>Most of a body that is hashed; larger ones are refused by the server's own bound before.</summary>
    private const int MostBytes = 16 << 20;

    /// <summary>Found by minimal APIs: null when the call has no key.</summary>
    /// <exception cref="BadHttpRequestException">The key does not have the form.</exception>
    public static ValueTask<KeyedCall?> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<KeyedCall>());

    /// <summary>Reads the key and hashes the call, before the body is read as JSON.</summary>
    public static async Task ReadAsync(HttpContext context, Func<Task> next)
    {
        var header = context.Request.Headers["Idempotency-Key"];

        // NB. What answers without a token has no caller whose key it could be, and looks at its raw body itself: GitLab sends such a header with its calls.
        if (header.Count > 0 && HttpMethods.IsPost(context.Request.Method) && context.GetEndpoint()?.Metadata.GetMetadata<Identity.Open>() is null)
        {
            var key = header.Count == 1 ? header[0]! : "";
            if (key.Length is 0 or > MostCharacters || key.Any(c => c is < '!' or > '~'))
            {
                await ProblemResult.WriteAsync(context, ProblemKind.Unreadable.Say($"The Idempotency-Key must be 1 to {MostCharacters} visible ASCII characters.", "Send a random one, such as a UUID."));
                return;
            }

            var body = new ArrayBufferWriter<byte>();
            while (true)
            {
                var read = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
                foreach (var part in read.Buffer)
                {
                    body.Write(part.Span);
                }

                context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || body.WrittenCount > MostBytes)
                {
                    break;
                }
            }

            var bytes = body.WrittenMemory;
            context.Request.Body = new MemoryStream(bytes.ToArray(), writable: false);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(Encoding.UTF8.GetBytes($"{context.Request.Method} {context.Request.Path.Value}\n"));
            hash.AppendData(bytes.Span);
            context.Features.Set(new KeyedCall(key, hash.GetHashAndReset()));
        }

        await next();
    }
}

/// <summary>Somebody else's write with the same key was first: this one is undone.</summary>
internal sealed class KeyTakenException : Exception;

/// <summary>Answers a repeated creating call as it was answered the first time. What it made and its answer are kept in one transaction, so that no crash can come in between.</summary>
internal sealed class KeptAnswers(StintStore store, TimeProvider clock)
{
    /// <summary>How long an answer is kept.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(2);

    /// <summary>Runs a creating call once per key.</summary>
    /// <param name="who">The caller; keys of different callers never meet.</param>
    /// <param name="call">The call's key; null runs it without.</param>
    /// <param name="act">Does it; its argument is to be called inside the write that made the thing, with the answer's body.</param>
    public async Task<IResult> OnceAsync(SubjectId who, KeyedCall? call, Func<Func<Work, string, ValueTask>?, Task<IResult>> act, CancellationToken cancellation)
    {
        if (call is null)
        {
            return await act(null);
        }

        if (await FindAsync(who, call, cancellation) is { } before)
        {
            return before;
        }

        try
        {
            return await act(async (work, body) =>
            {
                if (!await work.InsertAsync(new KeptAnswer(who, call.Key, call.Asked, body.Length == 0 ? 409 : 201, body, clock.Now())))
                {
                    throw new KeyTakenException();
                }
            });
        }
        catch (KeyTakenException)
        {
            return await FindAsync(who, call, cancellation) ?? Answers.Problem(ProblemKind.KeyInUse.Say());
        }
    }

    private async Task<IResult?> FindAsync(SubjectId who, KeyedCall call, CancellationToken cancellation)
    {
        if (await store.ReadAsync(async reads => await reads.FindAnswerAsync(who, call.Key), cancellation) is not { } kept)
        {
            return null;
        }

        if (!CryptographicOperations.FixedTimeEquals(kept.Asked, call.Asked))
        {
            return Answers.Problem(ProblemKind.KeyReused.Say());
        }

        return kept.Body.Length == 0
            ? Answers.Problem(ProblemKind.KeyInUse.Say("What this call made was shown once and is kept nowhere.", "Make another one with a new key."))
            : Results.Text(kept.Body, "application/json; charset=utf-8", Encoding.UTF8, kept.Status);
    }
}
