using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Stint.Tests.Identity.Ldap;

/// <summary>A server that answers what no honest one does, or what only others than OpenLDAP do.</summary>
internal sealed class FakeDirectory : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    /// <param name="answer">For the number of a message and its text, what is sent back; null to hang up.</param>
    public FakeDirectory(Func<int, FakeAsked, IEnumerable<byte[]>?> answer)
    {
        _listener.Start();
        _serving = ServeAsync(answer);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The kinds of messages that came: 0 to bind, 3 to search, 23 for StartTLS.</summary>
    public List<int> Asked { get; } = [];

    /// <summary>An end: <paramref name="kind"/> 1 of a bind, 5 of a search, 24 of StartTLS.</summary>
    public static byte[] Done(int id, int kind, int code = 0, byte[]? cookie = null) => Message(id, writer =>
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, kind, isConstructed: true)))
        {
            writer.WriteEncodedValue([0x0A, 1, (byte)code]);
            writer.WriteOctetString([]);
            writer.WriteOctetString([]);
        }

        if (cookie is not null)
        {
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)))
            using (writer.PushSequence())
            {
                writer.WriteOctetString("1.2.840.113556.1.4.319"u8);
                var value = new AsnWriter(AsnEncodingRules.BER);
                using (value.PushSequence())
                {
                    value.WriteInteger(0);
                    value.WriteOctetString(cookie);
                }

                writer.WriteOctetString(value.Encode());
            }
        }
    });

    public static byte[] Entry(int id, string dn, params (string Name, byte[][] Values)[] attributes) => Message(id, writer =>
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, 4, isConstructed: true)))
        {
            writer.WriteOctetString(Encoding.UTF8.GetBytes(dn));
            using (writer.PushSequence())
            {
                foreach (var (name, values) in attributes)
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteOctetString(Encoding.UTF8.GetBytes(name));
                        using (writer.PushSetOf())
                        {
                            foreach (var value in values)
                            {
                                writer.WriteOctetString(value);
                            }
                        }
                    }
                }
            }
        }
    });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private static byte[] Message(int id, Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            write(writer);
        }

        return writer.Encode();
    }

    private async Task ServeAsync(Func<int, FakeAsked, IEnumerable<byte[]>?> answer)
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await TalkAsync(client.GetStream(), answer);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task TalkAsync(NetworkStream stream, Func<int, FakeAsked, IEnumerable<byte[]>?> answer)
    {
        var buffer = new byte[65_536];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer, _stop.Token)) > 0;)
            {
                // What the client sends is small, and comes in one piece here.
                var message = new AsnReader(buffer.AsMemory(0, read), AsnEncodingRules.BER).ReadSequence();
                var id = (int)message.ReadInteger();
                var kind = message.PeekTag().TagValue;
                Asked.Add(kind);
                if (answer(id, new FakeAsked(kind, Encoding.Latin1.GetString(buffer, 0, read))) is not { } answers)
                {
                    return;
                }

                foreach (var one in answers)
                {
                    await stream.WriteAsync(one, _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is IOException or AsnContentException)
        {
            // The client hung up, or speaks TLS by now.
            Asked.Add(e is AsnContentException ? -1 : -2);
        }
    }
}

/// <summary>What a client asked.</summary>
internal sealed record FakeAsked(int Kind, string Text);
