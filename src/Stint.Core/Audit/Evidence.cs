using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Core.Catalog;

namespace Stint.Core.Audit;

/// <summary>A fact on its way into evidence.</summary>
/// <param name="Body">Its body as it is stored.</param>
/// <param name="Proof">That it is under the head (<see cref="MerkleProofs.InclusionAsync"/> at the head's size).</param>
public sealed record EvidenceFact(string Body, IReadOnlyList<TreeHash> Proof);

/// <summary>Evidence about one request: one file that can be checked with no server.</summary>
/// <remarks>
/// The file is canonical JSON and a line's end. What counts in it are the facts, each proved to be under one signed
/// head, and the catalog's files, whose hash the facts name. The sections that people read are derived from those, and
/// the verifier derives them again.
/// </remarks>
public static class Evidence
{
    /// <summary>What the file calls its form.</summary>
    public const string Format = "stint-evidence";

    /// <summary>The only version there is.</summary>
    public const int Version = 1;

    /// <summary>How the files' names end.</summary>
    public const string Extension = ".stint-evidence.json";

    /// <summary>Largest file that is read.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    internal static readonly string[] Members =
        [.. ((string[])["catalogs", "facts", "format", "head", "key", "request", "version"]).Concat(EvidenceSections.Names).Order(StringComparer.Ordinal)];

    /// <summary>The members of evidence about a break-glass.</summary>
    internal static readonly string[] WithReview = [.. Members.Append(EvidenceSections.Review).Order(StringComparer.Ordinal)];

    /// <summary>The catalog versions that facts rest on, so that the caller can add their files.</summary>
    /// <param name="facts">Bodies as they are stored.</param>
    /// <exception cref="FormatException">One of them is damaged.</exception>
    public static IReadOnlyList<string> CatalogsNeeded(IEnumerable<string> facts) => Needed(facts.Select(FactBody.Parse));

    /// <summary>Writes the file.</summary>
    /// <param name="request">Which request.</param>
    /// <param name="facts">Every fact that names it, with proofs. For an extension also the <see cref="FactKinds.GrantOpened"/> of the grant that it joins: without it the length of the new window cannot be checked.</param>
    /// <param name="head">The head that the proofs lead to, signed by the log's key alone.</param>
    /// <param name="key">The log's key.</param>
    /// <param name="catalogs">The files of each version that <see cref="CatalogsNeeded"/> names.</param>
    /// <exception cref="FormatException">What is stored is damaged, or does not belong together.</exception>
    public static byte[] Write(string request, IReadOnlyList<EvidenceFact> facts, SignedCheckpoint head, CheckpointKey key, IReadOnlyList<CatalogSource> catalogs)
    {
        var ordered = facts.Select(fact => (Body: FactBody.Parse(fact.Body), Fact: fact)).OrderBy(fact => fact.Body.Seq).ToList();
        var sources = catalogs.Select(Normal).ToDictionary(CatalogFiles.Version, StringComparer.Ordinal);
        if (Needed(ordered.Select(fact => fact.Body)).FirstOrDefault(version => !sources.ContainsKey(version)) is { } missing)
        {
            throw new FormatException($"The facts rest on catalog {missing}, whose files were not given.");
        }

        var file = EvidenceSections.Of([.. ordered.Select(fact => fact.Body)], sources);
        file["format"] = Format;
        file["version"] = Version;
        file["request"] = request;
        file["head"] = head.Note;
        file["key"] = key.Public;
        file["facts"] = new JsonArray([.. ordered.Select(fact => new JsonObject
        {
            ["body"] = JsonNode.Parse(fact.Fact.Body),
            ["proof"] = new JsonArray([.. fact.Fact.Proof.Select(hash => (JsonNode)hash.ToString())]),
        })]);
        file["catalogs"] = new JsonArray([.. sources.OrderBy(source => source.Key, StringComparer.Ordinal).Select(source => new JsonObject
        {
            ["version"] = source.Key,
            ["files"] = new JsonArray([.. source.Value.Files.Select(text => new JsonObject { ["name"] = text.Name, ["text"] = text.Text })]),
        })]);
        return [.. CanonicalJson.Bytes(file), (byte)'\n'];
    }

    internal static List<string> Needed(IEnumerable<FactBody> facts) =>
        [.. facts.Where(fact => fact.Kind is FactKinds.RequestAsked or FactKinds.GrantOpening).Select(fact => fact.Text("catalog")).OfType<string>().Distinct().Order(StringComparer.Ordinal)];

    /// <summary>One way to write the files: in the order of their names, with bare line ends, as their version is computed.</summary>
    private static CatalogSource Normal(CatalogSource source) =>
        new([.. source.Files.OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => file with { Text = file.Text.Replace("\r\n", "\n", StringComparison.Ordinal) })]);
}

/// <summary>The file taken apart. Its shape is checked here, what it says is not.</summary>
internal sealed record EvidenceFile(JsonElement Root, string Request, string Head, string Key, IReadOnlyList<(JsonElement Body, string[] Proof)> Facts, IReadOnlyList<(string Version, CatalogSource Source)> Catalogs)
{
    /// <exception cref="FormatException">It does not have the shape of evidence; the message says what is wrong.</exception>
    public static EvidenceFile Read(ReadOnlyMemory<byte> file)
    {
        if (file.Length > Evidence.MaxBytes)
        {
            throw new FormatException("it is larger than any evidence.");
        }

        if (file.Length == 0 || file.Span[^1] != (byte)'\n')
        {
            throw new FormatException("it does not end with a line's end: something was cut off or added.");
        }

        var root = CanonicalJson.Read(file[..^1]);
        Members(root, root.ValueKind == JsonValueKind.Object && root.TryGetProperty(EvidenceSections.Review, out _) ? Evidence.WithReview : Evidence.Members, "the file");
        if (Text(root, "format") != Evidence.Format)
        {
            throw new FormatException("it does not call itself evidence.");
        }

        if (root.GetProperty("version") is not { ValueKind: JsonValueKind.Number } version || version.GetInt64() != Evidence.Version)
        {
            throw new FormatException($"it has a version that this program does not know; it knows {Evidence.Version}.");
        }

        var facts = Items(root, "facts").Select(item =>
        {
            Members(item, ["body", "proof"], "a fact");
            return (item.GetProperty("body"), Items(item, "proof").Select(Text).ToArray());
        }).ToList();
        var catalogs = Items(root, "catalogs").Select(item =>
        {
            Members(item, ["files", "version"], "a catalog");
            var files = Items(item, "files").Select(one =>
            {
                Members(one, ["name", "text"], "a file of a catalog");
                return new CatalogFile(Text(one, "name"), Text(one, "text"));
            }).ToList();
            return (Text(item, "version"), new CatalogSource(files));
        }).ToList();
        return new EvidenceFile(root, Text(root, "request"), Text(root, "head"), Text(root, "key"), facts, catalogs);
    }

    private static void Members(JsonElement element, string[] names, string what)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.EnumerateObject().Select(member => member.Name).SequenceEqual(names))
        {
            throw new FormatException($"{what} has exactly the members {string.Join(", ", names)}.");
        }
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string name) => element.GetProperty(name) is { ValueKind: JsonValueKind.Array } items
        ? items.EnumerateArray()
        : throw new FormatException($"'{name}' is a list.");

    private static string Text(JsonElement element, string name) => Text(element.GetProperty(name));

    private static string Text(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? element.GetString()! : throw new FormatException("it has something else where a text should be.");
}
