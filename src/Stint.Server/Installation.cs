namespace Stint.Server;

/// <summary>Which Stint this is.</summary>
/// <param name="Id">Marks what it makes at targets; kept in the store, the same for every node.</param>
/// <param name="Node">This process; unique while it runs.</param>
/// <param name="Roles">What it does: <c>control,gateway</c>.</param>
/// <param name="Version">Its program version.</param>
/// <param name="DataFolder">Where it keeps what is not in the store.</param>
/// <param name="RecordingsFolder">Where recordings are.</param>
internal sealed record Installation(string Id, string Node, string Roles, string Version, string DataFolder, string RecordingsFolder);
