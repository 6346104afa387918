using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>What came of giving the first right.</summary>
internal abstract record FirstRight
{
    private FirstRight()
    {
    }

    /// <summary>It counts from the commit on.</summary>
    public sealed record Given(GivenRight Right) : FirstRight;

    /// <summary>Somebody administers already.</summary>
    public sealed record Refused(string Why, string Remedy) : FirstRight;
}

/// <summary>Makes somebody administrator for a bounded time while nobody is: at the setting up of an installation whose catalog names no admin.</summary>
internal sealed class GiveFirstRight(CurrentCatalog current, TimeProvider clock)
{
    /// <summary>The longest that it lasts; the store refuses a longer one.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>Gives it, within the caller's write: it counts once that is committed, and only while the person may act at all.</summary>
    /// <param name="work">The write.</param>
    /// <param name="person">Who.</param>
    /// <param name="lasts">How long; more than nothing and at most <see cref="Longest"/>.</param>
    /// <param name="cause">By what, in a word or a sentence: <c>set-up</c>.</param>
    /// <param name="by">Who gives it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is none that it may last.</exception>
    /// <exception cref="ArgumentException">No person has such a name, or the cause is empty or longer than 500 characters.</exception>
    public async ValueTask<FirstRight> GiveAsync(Work work, SubjectId person, TimeSpan lasts, string cause, Actor by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lasts, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lasts, Longest);
        if (!Core.Catalog.Words.IsPersonName(person.Value) || string.IsNullOrWhiteSpace(cause) || cause.Length > 500)
        {
            throw new ArgumentException("A right is of a person, and has a cause of 1 to 500 characters.");
        }

        var catalog = current.Now;
        if (catalog.Admins.FirstOrDefault(catalog.IsActive) is { Value: not null } admin)
        {
            return new FirstRight.Refused($"the catalog names an admin already: {admin}", "ask that admin");
        }

        var now = Stored.Round(clock.Now());
        if (await work.GivenRightsAsync(now) is [var first, ..])
        {
            return new FirstRight.Refused($"{first.Person} administers until {CanonicalTime.Write(first.Until)[..19]}Z", "ask them, or wait until then");
        }

        var right = await work.InsertRightAsync(new GivenRight(person, StintRight.Administrator, now, now + lasts, cause));
        work.Append(Facts.RightGiven(right, by));
        return new FirstRight.Given(right);
    }
}
