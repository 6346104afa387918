using Stint.Core.Catalog;

namespace Stint.Server.Catalog;

/// <summary>The catalog version that decides now. Readers never wait; <see cref="ApplyCatalog"/> replaces it.</summary>
internal sealed class CurrentCatalog(LoadedCatalog first)
{
    private volatile LoadedCatalog _now = first;

    public LoadedCatalog Now => _now;

    public void Replace(LoadedCatalog next) => _now = next;
}
