using System.Buffers;
using System.Threading.Channels;

namespace Stoker.Gateway.Metrics;

/// <summary>
/// Decisions on their way to the gateway's output, one line of JSON each, from which <c>stoker model route replay</c> decides again. Written by a task of
/// its own: a log that nobody reads must not hold a request up. When lines come faster than they are taken, the newest are dropped.
/// </summary>
internal sealed class DecisionLog : IDisposable
{
    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private long _count;

    /// <summary>Of so many decisions one is logged; 0: none.</summary>
    public int Every { get; set; } = 100;

    public ChannelReader<byte[]> Lines => _lines.Reader;

    /// <summary>Whether the next decision is one that is logged.</summary>
    public bool IsDue() => Every > 0 && Interlocked.Increment(ref _count) % Every == 0;

    /// <summary>Takes what was written, and empties the buffer.</summary>
    public void Write(ArrayBufferWriter<byte> decision, ReadOnlySpan<byte> requestId)
    {
        if (decision.WrittenCount == 0) return;
        var line = new byte[requestId.Length + 1 + decision.WrittenCount + 1];
        requestId.CopyTo(line);
        line[requestId.Length] = (byte)' ';
        decision.WrittenSpan.CopyTo(line.AsSpan(requestId.Length + 1));
        line.AsSpan(requestId.Length + 1, decision.WrittenCount).Replace((byte)'\n', (byte)' ');
        line[^1] = (byte)'\n';
        decision.ResetWrittenCount();
        _lines.Writer.TryWrite(line);
    }

    public void Dispose() => _lines.Writer.TryComplete();
}
