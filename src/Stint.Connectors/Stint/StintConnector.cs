using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Stint;

/// <summary>Rights in Stint itself. No verb changes anything: the server looks for the open grant whenever it asks who may.</summary>
internal sealed class StintConnector : IConnector
{
    public string Kind => StintRights.Kind;

    /// <summary>The target is Stint: it counts no grant at or after its deadline, and while it is down nobody uses a right in it.</summary>
    public Guarantee Guarantee => Guarantee.Native;

    public KindShape Shape => StintSettings.Shape;

    public Task<VerbOutcome> CheckAsync(Target target, CancellationToken cancellation) => DoneAsync(cancellation);

    public Task<VerbOutcome> OpenAsync(Target target, Account account, CancellationToken cancellation) => DoneAsync(cancellation);

    public Task<VerbOutcome> CloseAsync(Target target, Account account, CancellationToken cancellation) => DoneAsync(cancellation);

    public Task<VerbOutcome> CutAsync(Target target, Account account, string? backend, CancellationToken cancellation) => DoneAsync(cancellation);

    public Task<Listing> ListAsync(Target target, CancellationToken cancellation) => Task.FromResult<Listing>(new Listing.Nothing());

    private static Task<VerbOutcome> DoneAsync(CancellationToken cancellation) =>
        cancellation.IsCancellationRequested ? Task.FromCanceled<VerbOutcome>(cancellation) : Task.FromResult<VerbOutcome>(new VerbOutcome.Done());
}
