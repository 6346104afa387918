using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Stint.Server.Identity;

namespace Stint.Server.Web;

/// <summary>The styles and scripts of the pages.</summary>
internal static class Assets
{
    private const string Folder = "assets/";

    private static readonly FrozenDictionary<string, Asset> All = Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
        .ToFrozenDictionary(name => name[Folder.Length..], Asset.Read, StringComparer.Ordinal);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/assets/{name}", (HttpContext context, string name) =>
    {
        if (!All.TryGetValue(name, out var asset))
        {
            return Results.NotFound();
        }

        // Asked for again each time, and sent again when it changed: a page never meets the script of another version.
        context.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(asset.Bytes, asset.Type, entityTag: asset.Tag);
    }).WithMetadata(Open.Instance).ExcludeFromDescription();

    private sealed record Asset(byte[] Bytes, string Type, EntityTagHeaderValue Tag)
    {
        public static Asset Read(string name)
        {
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var type = Path.GetExtension(name) switch
            {
                ".css" => "text/css; charset=utf-8",
                ".js" => "text/javascript; charset=utf-8",
                var other => throw new InvalidOperationException($"A page has no use for {other}."),
            };
            return new Asset(bytes, type, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\""));
        }
    }
}
