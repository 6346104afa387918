using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Stint.Core.Audit;

/// <summary>SHA-256 (FIPS 180-4, section 6.2) over eight messages side by side, for reading a whole log.</summary>
/// <remarks>
/// The platform's hash costs more in the call than in the hashing when a message is a few hundred bytes, and a log has
/// two such messages for each fact. Here one vector holds the same word of eight messages. Nothing secret is hashed with
/// it. Where the processor has no such vectors, the platform's hash is called for each.
/// </remarks>
internal static class HashLanes
{
    /// <summary>How many messages go side by side.</summary>
    public const int Count = 8;

    private const int Block = 64;

    // FIPS 180-4, section 4.2.2.
    private static readonly uint[] Constants =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// <summary>How many bytes a message takes with its padding.</summary>
    public static int Padded(int length) => (length + 9 + Block - 1) / Block * Block;

    /// <summary>Pads a message in place: behind its bytes there is room up to <see cref="Padded"/>.</summary>
    public static void Pad(Span<byte> room, int length)
    {
        room[length] = 0x80;
        room[(length + 1)..^8].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(room[^8..], (ulong)length * 8);
    }

    /// <summary>Hashes up to eight padded messages.</summary>
    /// <param name="buffer">Holds them.</param>
    /// <param name="places">Where each begins and how long it is with its padding; 1 to 8.</param>
    /// <param name="hashes">One for each.</param>
    public static void Hash(ReadOnlySpan<byte> buffer, ReadOnlySpan<(int Start, int Length)> places, Span<TreeHash> hashes)
    {
        // FIPS 180-4, section 5.3.3.
        Span<Vector256<uint>> state =
        [
            Vector256.Create(0x6a09e667u), Vector256.Create(0xbb67ae85u), Vector256.Create(0x3c6ef372u), Vector256.Create(0xa54ff53au),
            Vector256.Create(0x510e527fu), Vector256.Create(0x9b05688cu), Vector256.Create(0x1f83d9abu), Vector256.Create(0x5be0cd19u),
        ];
        Span<uint> words = stackalloc uint[16 * Count];
        var longest = 0;
        foreach (var (_, length) in places)
        {
            longest = Math.Max(longest, length);
        }

        for (var at = 0; at < longest; at += Block)
        {
            for (var lane = 0; lane < places.Length; lane++)
            {
                var (start, length) = places[lane];

                // A shorter message was taken out already; whatever stands in its lane is hashed and forgotten.
                if (at < length)
                {
                    var block = MemoryMarshal.Cast<byte, uint>(buffer.Slice(start + at, Block));
                    for (var i = 0; i < 16; i++)
                    {
                        words[(i * Count) + lane] = BinaryPrimitives.ReverseEndianness(block[i]);
                    }
                }
            }

            Compress(state, MemoryMarshal.Cast<uint, Vector256<uint>>(words));
            for (var lane = 0; lane < places.Length; lane++)
            {
                if (at + Block == places[lane].Length)
                {
                    hashes[lane] = Lane(state, lane);
                }
            }
        }
    }

    private static TreeHash Lane(ReadOnlySpan<Vector256<uint>> state, int lane)
    {
        Span<byte> bytes = stackalloc byte[TreeHash.Size];
        for (var i = 0; i < 8; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[(4 * i)..], state[i].GetElement(lane));
        }

        return TreeHash.Of(bytes);
    }

    private static void Compress(Span<Vector256<uint>> state, ReadOnlySpan<Vector256<uint>> block)
    {
        Span<Vector256<uint>> w = stackalloc Vector256<uint>[16];
        block.CopyTo(w);
        var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
        var (e, f, g, h) = (state[4], state[5], state[6], state[7]);
        var constants = Constants;
        for (var t = 0; t < 64; t++)
        {
            var word = w[t & 15];
            if (t >= 16)
            {
                var (w15, w2) = (w[(t + 1) & 15], w[(t + 14) & 15]);
                word += (Turn(w15, 7) ^ Turn(w15, 18) ^ (w15 >>> 3)) + w[(t + 9) & 15] + (Turn(w2, 17) ^ Turn(w2, 19) ^ (w2 >>> 10));
                w[t & 15] = word;
            }

            var first = h + (Turn(e, 6) ^ Turn(e, 11) ^ Turn(e, 25)) + (g ^ (e & (f ^ g))) + Vector256.Create(constants[t]) + word;
            var second = (Turn(a, 2) ^ Turn(a, 13) ^ Turn(a, 22)) + ((a & b) | (c & (a | b)));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }

        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Turn(Vector256<uint> value, int by) => (value >>> by) | (value << (32 - by));
}
