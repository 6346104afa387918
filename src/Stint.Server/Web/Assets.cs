using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;

namespace Stint.Server.Web;

/// <summary>The styles and scripts of the pages: our own, and those that the build fetched.</summary>
internal static class Assets
{
    private const string Own = "assets/", Fetched = "packages/";

    private static readonly FrozenDictionary<string, Asset> All = ReadAll();

    /// <summary>Stands in every address, and changes when any of them does: a browser keeps what it has for ever, and a page never meets the script of another version.</summary>
    public static string Version { get; } = VersionOf(All);

    /// <summary>Where a page finds one.</summary>
    /// <param name="name">Its file's name.</param>
    /// <exception cref="ArgumentException">There is none of the name.</exception>
    public static string Href(string name) => All.ContainsKey(name) ? $"/assets/{Version}/{name}" : throw new ArgumentException($"No page has {name}.", nameof(name));

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/assets/{version}/{name}", (HttpContext context, string version, string name) =>
    {
        if (!All.TryGetValue(name, out var asset))
        {
            return Results.NotFound();
        }

        // NB. Another node may run another version: what it gives under that name must not be kept.
        var headers = context.Response.Headers;
        headers.CacheControl = version == Version ? "public, max-age=31536000, immutable" : "no-store";
        headers.Vary = "Accept-Encoding";
        var (bytes, encoding) = asset.For(context.Request.Headers.AcceptEncoding.ToString());
        if (encoding is not null)
        {
            headers.ContentEncoding = encoding;
        }

        return Results.Bytes(bytes, asset.Type);
    }).WithMetadata(Open.Instance).ExcludeFromDescription();

    private static FrozenDictionary<string, Asset> ReadAll()
    {
        var all = new Dictionary<string, Asset>(StringComparer.Ordinal);
        foreach (var resource in Assembly.GetExecutingAssembly().GetManifestResourceNames())
        {
            if (resource.StartsWith(Own, StringComparison.Ordinal))
            {
                var name = resource[Own.Length..];
                var bytes = Read(resource);
                all.Add(name, new Asset(TypeOf(name), new Lazy<byte[]>(() => Brotli(bytes)), new Lazy<byte[]>(() => Gzip(bytes)), new Lazy<byte[]>(bytes)));
            }
            else if (resource.StartsWith(Fetched, StringComparison.Ordinal) && resource.EndsWith(".br", StringComparison.Ordinal))
            {
                var name = resource[Fetched.Length..^3];
                var small = Read(resource);
                all.Add(name, new Asset(TypeOf(name), new Lazy<byte[]>(small), new Lazy<byte[]>(() => Read($"{Fetched}{name}.gz")), new Lazy<byte[]>(() => Unbrotli(small))));
            }
        }

        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static string VersionOf(FrozenDictionary<string, Asset> all)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, asset) in all.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(SHA256.HashData(asset.Brotli.Value));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        var other => throw new InvalidOperationException($"A page has no use for {other}."),
    };

    private static byte[] Read(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] Brotli(byte[] bytes)
    {
        using var small = new MemoryStream();
        using (var stream = new BrotliStream(small, CompressionLevel.SmallestSize))
        {
            stream.Write(bytes);
        }

        return small.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var small = new MemoryStream();
        using (var stream = new GZipStream(small, CompressionLevel.SmallestSize))
        {
            stream.Write(bytes);
        }

        return small.ToArray();
    }

    private static byte[] Unbrotli(byte[] small)
    {
        using var whole = new MemoryStream();
        using (var stream = new BrotliStream(new MemoryStream(small), CompressionMode.Decompress))
        {
            stream.CopyTo(whole);
        }

        return whole.ToArray();
    }

    private sealed record Asset(string Type, Lazy<byte[]> Brotli, Lazy<byte[]> Gzip, Lazy<byte[]> Whole)
    {
        /// <summary>The smallest that a browser takes. One that refuses an encoding by a weight of 0 is asked no further: it gets the whole.</summary>
        public (byte[] Bytes, string? Encoding) For(string accepted)
        {
            var names = accepted.Split(',', StringSplitOptions.TrimEntries);
            return names.Contains("br", StringComparer.OrdinalIgnoreCase) ? (Brotli.Value, "br")
                : names.Contains("gzip", StringComparer.OrdinalIgnoreCase) ? (Gzip.Value, "gzip")
                : (Whole.Value, null);
        }
    }
}
