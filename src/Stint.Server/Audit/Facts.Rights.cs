using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>What is put on record of rights in Stint itself that no grant gives.</summary>
internal static partial class Facts
{
    public static Fact RightGiven(GivenRight right, Actor by) => new(FactKinds.RightGiven, right.GivenAt, by)
    {
        ["subject"] = right.Person.Value,
        ["role"] = StintRights.NameOf(right.Right),
        ["until"] = right.Until,
        ["cause"] = right.Cause,
        ["state"] = "given",
    };
}
