namespace Stint.Core.Policies;

/// <summary>A condition over things that can be so or not, for a proof. <c>bool?</c>: null is not decided yet.</summary>
internal abstract record Formula
{
    private Formula()
    {
    }

    public static Formula True { get; } = new Constant(true);

    public static Formula False { get; } = new Constant(false);

    /// <summary>What it comes to under what is decided so far.</summary>
    public abstract bool? Under(IReadOnlyDictionary<string, bool> decided);

    /// <summary>How much there is to look at.</summary>
    public abstract int Size { get; }

    /// <summary>One thing that it depends on and that is not decided; null when there is none.</summary>
    public abstract string? Undecided(IReadOnlyDictionary<string, bool> decided);

    public static Formula All(IEnumerable<Formula> terms) => new Terms(true, [.. terms]);

    public static Formula Any(IEnumerable<Formula> terms) => new Terms(false, [.. terms]);

    public sealed record Constant(bool Value) : Formula
    {
        public override bool? Under(IReadOnlyDictionary<string, bool> decided) => Value;

        public override int Size => 1;

        public override string? Undecided(IReadOnlyDictionary<string, bool> decided) => null;
    }

    /// <summary>Something that can be so or not.</summary>
    public sealed record Thing(string Name) : Formula
    {
        public override bool? Under(IReadOnlyDictionary<string, bool> decided) => decided.TryGetValue(Name, out var value) ? value : null;

        public override int Size => 1;

        public override string? Undecided(IReadOnlyDictionary<string, bool> decided) => decided.ContainsKey(Name) ? null : Name;
    }

    public sealed record Not(Formula Of) : Formula
    {
        public override bool? Under(IReadOnlyDictionary<string, bool> decided) => !Of.Under(decided);

        public override int Size => 1 + Of.Size;

        public override string? Undecided(IReadOnlyDictionary<string, bool> decided) => Of.Undecided(decided);
    }

    public sealed record Choice(Formula If, Formula Then, Formula Else) : Formula
    {
        public override int Size => 1 + If.Size + Then.Size + Else.Size;

        public override bool? Under(IReadOnlyDictionary<string, bool> decided) => If.Under(decided) switch
        {
            true => Then.Under(decided),
            false => Else.Under(decided),
            null => Then.Under(decided) is { } value && Else.Under(decided) == value ? value : null,
        };

        public override string? Undecided(IReadOnlyDictionary<string, bool> decided) =>
            Under(decided) is not null ? null : If.Undecided(decided) ?? (If.Under(decided) == true ? Then : Else).Undecided(decided);
    }

    public sealed record Terms(bool IsAnd, IReadOnlyList<Formula> Of) : Formula
    {
        public override int Size => 1 + Of.Sum(term => term.Size);

        public override bool? Under(IReadOnlyDictionary<string, bool> decided)
        {
            bool? all = IsAnd;
            foreach (var term in Of)
            {
                var value = term.Under(decided);
                if (value == !IsAnd)
                {
                    return value;
                }

                all = value is null ? null : all;
            }

            return all;
        }

        public override string? Undecided(IReadOnlyDictionary<string, bool> decided)
        {
            if (Under(decided) is not null)
            {
                return null;
            }

            foreach (var term in Of)
            {
                if (term.Undecided(decided) is { } name)
                {
                    return name;
                }
            }

            return null;
        }
    }
}
