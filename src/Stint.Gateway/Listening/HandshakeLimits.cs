using System.Net;

namespace Stint.Gateway.Listening;

/// <summary>Counts connections that have not finished login. Whoever has proved nothing gets little.</summary>
internal sealed class HandshakeLimits(int total, int perAddress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private int _count;

    /// <summary>A place for one more; null when there is none. Given back by disposing, once.</summary>
    public Place? TryEnter(IPAddress address)
    {
        lock (_lock)
        {
            var here = _byAddress.GetValueOrDefault(address);
            if (_count >= total || here >= perAddress)
            {
                return null;
            }

            _count++;
            _byAddress[address] = here + 1;
            return new Place(this, address);
        }
    }

    private void Leave(IPAddress address)
    {
        lock (_lock)
        {
            _count--;
            if (--_byAddress[address] == 0)
            {
                _byAddress.Remove(address);
            }
        }
    }

    internal sealed class Place(HandshakeLimits limits, IPAddress address) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                limits.Leave(address);
            }
        }
    }
}
