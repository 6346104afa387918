using Stint.Core;

namespace Stint.Server;

/// <summary>One thing that is wrong with what was asked.</summary>
/// <param name="Field">The field, as the API writes it (<c>for_seconds</c>); empty for the whole.</param>
/// <param name="Message">What is wrong and what would be right, in a sentence without a full stop.</param>
internal sealed record Problem(string Field, string Message);

/// <summary>What came of a use case. Expected troubles are data; exceptions are bugs and broken infrastructure.</summary>
internal abstract record Outcome<T>
{
    private Outcome()
    {
    }

    /// <summary>It is so now, and durable.</summary>
    public sealed record Done(T Value) : Outcome<T>;

    /// <summary>There is no such thing, or none that the caller may know of. The two look alike from outside.</summary>
    public sealed record NotFound : Outcome<T>;

    /// <summary>Somebody was faster, or it is decided already, or what the caller saw is no longer what is asked.</summary>
    /// <param name="Why">What happened instead, in a sentence without a full stop.</param>
    /// <param name="Now">How it is now; null when only the sentence can be said.</param>
    public sealed record LostRace(string Why, T? Now) : Outcome<T>;

    /// <summary>The caller may see it and may not do this.</summary>
    /// <param name="Why">Why not, in a sentence without a full stop.</param>
    /// <param name="WhoCould">Who could; empty when nobody, or when it would tell too much.</param>
    public sealed record NotYours(string Why, IReadOnlyList<SubjectId> WhoCould) : Outcome<T>;

    /// <summary>What was asked makes no sense as it stands; every problem at once.</summary>
    public sealed record Invalid(IReadOnlyList<Problem> Problems) : Outcome<T>;

    /// <summary>Understood, allowed, and still no: a limit, or a state that does not let it.</summary>
    /// <param name="Why">Why, in a sentence without a full stop.</param>
    /// <param name="Remedy">What would help; null for nothing.</param>
    public sealed record Refused(string Why, string? Remedy) : Outcome<T>;
}
