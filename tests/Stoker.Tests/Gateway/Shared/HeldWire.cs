using System.Text;
using Stoker.Platform.Loops;

namespace Stoker.Tests.Gateway.Shared;

/// <summary>A connection that keeps what is sent.</summary>
internal sealed class HeldWire : IWire
{
    private readonly MemoryStream _sent = new();

    public string Sent => Encoding.UTF8.GetString(_sent.ToArray());

    public bool PeerLeft => false;

    public bool MayReceive => false;

    public Action? OnPeerLeft { get; set; }

    public int Receive(Span<byte> target) => 0;

    public ValueTask<int> ReadableAsync(long deadline = 0) => new(0);

    public ValueTask<int> SendAllAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> behind = default, long deadline = 0, bool more = false)
    {
        _sent.Write(first.Span);
        _sent.Write(behind.Span);
        return new ValueTask<int>(0);
    }

    public void Cancel()
    {
    }

    public void ShutSend()
    {
    }

    public void Reset()
    {
    }

    public void Dispose() => _sent.Dispose();
}
