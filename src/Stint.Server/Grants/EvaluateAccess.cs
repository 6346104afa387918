using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Store;
using Words = Stint.Core.Catalog.Words;

namespace Stint.Server.Grants;

/// <summary>Whether this subject holds this role now, in the words of whoever asks.</summary>
/// <param name="SubjectType">What they call the sort of subject.</param>
/// <param name="Subject">Who.</param>
/// <param name="ResourceType">What they call the sort of resource.</param>
/// <param name="Resource">Where.</param>
/// <param name="Role">Which role.</param>
internal sealed record AccessQuestion(string SubjectType, string Subject, string ResourceType, string Resource, string Role)
{
    private const string Workload = "workload";

    /// <summary>Whether all of it can be names at all. What cannot is never looked for.</summary>
    public bool IsNamed => IsSubjectNamed && Words.IsName(Resource) && Words.IsName(Role);

    public bool IsSubjectNamed => SubjectType == Workload ? Words.IsName(Subject) : Words.IsPersonName(Subject);

    /// <summary>Whether there are subjects of the sort at all.</summary>
    public bool IsKnownType => SubjectType is "user" or "person" or Workload;

    public SubjectId Who => SubjectType == Workload ? SubjectId.Workload(Subject) : new SubjectId(Subject);

    public RoleRef What => new(Resource, Role);

    /// <summary>The same of a subject, by its own name here; null when that is of another sort.</summary>
    public AccessQuestion? About(string holder)
    {
        var who = new SubjectId(holder);
        return who.IsWorkload != (SubjectType == Workload) ? null : this with { Subject = who.IsWorkload ? holder[(holder.IndexOf(':', StringComparison.Ordinal) + 1)..] : holder };
    }
}

/// <summary>A part of what was found.</summary>
/// <param name="Names">In their order, each once.</param>
/// <param name="Last">After which the next part begins; null when there is none.</param>
internal sealed record FoundNames(IReadOnlyList<string> Names, string? Last);

/// <summary>Says what is held now: open, and inside its window. Never what could be asked for.</summary>
/// <remarks>NB. What does not exist, what is not held and what the asker may not know of are the same answer, and the same look into the store.</remarks>
internal sealed class EvaluateAccess(StintStore store, CurrentCatalog catalog, TimeProvider clock)
{
    /// <summary>The grant that answers each question, the one that lasts longest; null where nothing is held. All as of one moment.</summary>
    public Task<List<Grant?>> EvaluateAsync(Asker asker, IReadOnlyList<AccessQuestion> questions, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var live = new Dictionary<(SubjectId, RoleRef), List<Grant>>();
            foreach (var question in questions.Where(question => question.IsNamed))
            {
                if (!live.ContainsKey((question.Who, question.What)))
                {
                    live[(question.Who, question.What)] = await reads.LiveGrantsAsync(question.Who, question.What);
                }
            }

            // NB. The clock is read after the rows: nothing is said to be held whose time ended while the store was slow to answer.
            var (now, current) = (clock.Now(), catalog.Now);
            return questions.Select(question => Counts(current, asker, question) && live.TryGetValue((question.Who, question.What), out var grants)
                ? grants.Where(grant => IsWhole(grant, now)).MaxBy(grant => grant.NotAfter)
                : null).ToList();
        },
        cancellation);

    /// <summary>Who holds a role now, in the order of their names.</summary>
    /// <param name="asker">Who asks.</param>
    /// <param name="question">The role; its subject is not looked at.</param>
    /// <param name="after">Those after this name alone; empty for all.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public Task<FoundNames> SubjectsAsync(Asker asker, AccessQuestion question, string after, int limit, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var (now, current) = (clock.Now(), catalog.Now);
            var all = asker.MayKnowAll(current, question.Resource);
            var about = question with { Subject = all ? "anybody" : asker.Person.Value };
            if (!about.IsNamed)
            {
                return new FoundNames([], null);
            }

            List<string> holders = all
                ? await reads.OpenHoldersAsync(question.What, now, after, limit + 1)
                : (await reads.LiveGrantsAsync(asker.Person, question.What)).Any(grant => IsWhole(grant, now)) && string.CompareOrdinal(asker.Person.Value, after) > 0 ? [asker.Person.Value] : [];
            return Part(holders, after, limit, holder => question.About(holder) is { } asked && Counts(current, asker, asked) ? asked.Subject : null);
        },
        cancellation);

    /// <summary>At which resources a subject holds a role of this name, in the order of their names.</summary>
    /// <inheritdoc cref="SubjectsAsync"/>
    public Task<FoundNames> ResourcesAsync(Asker asker, AccessQuestion question, string after, int limit, CancellationToken cancellation) =>
        OfSubjectAsync(asker, question, after, limit, role => role.Role == question.Role, role => role.Resource, cancellation);

    /// <summary>Which roles of a resource a subject holds, in the order of their names.</summary>
    /// <inheritdoc cref="SubjectsAsync"/>
    public Task<FoundNames> RolesAsync(Asker asker, AccessQuestion question, string after, int limit, CancellationToken cancellation) =>
        OfSubjectAsync(asker, question, after, limit, role => role.Resource == question.Resource, role => role.Role, cancellation);

    // NB. Whoever holds a role for exact statements does not hold the role: who asks here could not hold them to those.
    private static bool IsWhole(Grant grant, DateTimeOffset now) => grant.Statements is null && grant.IsUsableAt(now);

    private Task<FoundNames> OfSubjectAsync(Asker asker, AccessQuestion question, string after, int limit, Func<RoleRef, bool> wanted, Func<RoleRef, string> name, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var live = question.IsSubjectNamed ? await reads.LiveGrantsAsync(question.Who) : [];
            var (now, current) = (clock.Now(), catalog.Now);
            var names = live.Where(grant => IsWhole(grant, now) && wanted(grant.Role) && Counts(current, asker, question with { Resource = grant.Role.Resource }))
                .Select(grant => name(grant.Role))
                .Where(one => string.CompareOrdinal(one, after) > 0)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
                .Take(limit + 1)
                .ToList();
            return Part(names, after, limit, name => name);
        },
        cancellation);

    /// <summary>Whether a grant that is open would count for the asker: they may know of it, the types are right, and its subject is not disabled.</summary>
    private static bool Counts(LoadedCatalog current, Asker asker, AccessQuestion question) =>
        question.IsKnownType
        && current.MayAsk(question.Who)
        && current.Resources.TryGetValue(question.Resource, out var resource)
        && asker.IsType(resource.Kind, question.ResourceType)
        && asker.MayKnow(current, question.Who, question.Resource);

    private static FoundNames Part(List<string> names, string after, int limit, Func<string, string?> shown)
    {
        var part = names.Take(limit).ToList();
        return new FoundNames([.. part.Select(shown).OfType<string>()], names.Count > limit ? part.LastOrDefault() ?? after : null);
    }
}
