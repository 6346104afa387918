namespace Stint.Core.Catalog;

/// <summary>What came of loading a catalog: the catalog, or everything that is wrong with it.</summary>
/// <param name="Catalog">Null when there is at least one error.</param>
/// <param name="Errors">In the order of files and lines.</param>
/// <param name="Warnings">What is allowed and probably not meant.</param>
public sealed record CatalogLoad(LoadedCatalog? Catalog, IReadOnlyList<CatalogProblem> Errors, IReadOnlyList<CatalogProblem> Warnings);

/// <summary>One thing that is wrong, and the way out. Never holds a setting's value or a token's hash.</summary>
/// <param name="File">Path below the catalog's folder; empty for the catalog as a whole.</param>
/// <param name="Line">Counted from 1; 0 when it is about no line.</param>
/// <param name="Column">Counted from 1; 0 when it is about no column.</param>
/// <param name="What">What is wrong, without a full stop.</param>
/// <param name="WayOut">What to do; null when the first part says it.</param>
public sealed record CatalogProblem(string File, int Line, int Column, string What, string? WayOut = null)
{
    /// <summary><c>FILE:LINE:COLUMN: WHAT; WAY OUT</c>, which editors and terminals make a link of.</summary>
    public override string ToString()
    {
        var place = Line > 0 ? $"{File}:{Line}:{Column}: " : File.Length > 0 ? $"{File}: " : "";
        return WayOut is null ? $"{place}{What}" : $"{place}{What}; {WayOut}";
    }
}

/// <summary>Where something stands in a catalog.</summary>
/// <param name="File">Path below the catalog's folder.</param>
/// <param name="Line">Counted from 1.</param>
/// <param name="Column">Counted from 1.</param>
public readonly record struct CatalogPlace(string File, int Line, int Column)
{
    /// <inheritdoc/>
    public override string ToString() => $"{File}:{Line}:{Column}";
}

/// <summary>Collects problems; knows when to stop.</summary>
internal sealed class Problems
{
    // A file of a million misspelt keys must not become a million sentences.
    private const int Most = 500;

    private readonly List<CatalogProblem> _errors = [];
    private readonly List<CatalogProblem> _warnings = [];
    private int _leftOut;

    public bool Any => _errors.Count > 0;

    /// <summary>How many errors so far, those beyond the most that are told counted.</summary>
    public int Count => _errors.Count + _leftOut;

    public void Error(CatalogPlace place, string what, string? wayOut = null) =>
        Add(_errors, new CatalogProblem(place.File, place.Line, place.Column, what, wayOut));

    public void Warn(CatalogPlace place, string what, string? wayOut = null) =>
        Add(_warnings, new CatalogProblem(place.File, place.Line, place.Column, what, wayOut));

    public IReadOnlyList<CatalogProblem> Errors()
    {
        var sorted = Sorted(_errors);
        if (_leftOut > 0)
        {
            sorted.Add(new CatalogProblem("", 0, 0, $"and {_leftOut} more problems like these"));
        }

        return sorted;
    }

    public IReadOnlyList<CatalogProblem> Warnings() => Sorted(_warnings);

    private static List<CatalogProblem> Sorted(List<CatalogProblem> list) =>
        [.. list.OrderBy(problem => problem.File, StringComparer.Ordinal).ThenBy(problem => problem.Line).ThenBy(problem => problem.Column)];

    private void Add(List<CatalogProblem> list, CatalogProblem problem)
    {
        if (list.Count < Most)
        {
            // What a template has wrong is found again by each policy that takes it.
            if (!list.Contains(problem))
            {
                list.Add(problem);
            }
        }
        else
        {
            _leftOut++;
        }
    }
}
