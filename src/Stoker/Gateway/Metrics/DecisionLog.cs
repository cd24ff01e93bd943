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
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(10);

    private long _count;

    /// <summary>Of so many decisions one is logged; 0: none.</summary>
    public int Every { get; set; } = 100;

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

    /// <summary>Writes the lines until it is stopped, those of a hundredth of a second together: under load a thread woken for each would cost more than the line itself.</summary>
    /// <param name="stop">What has been taken by then is still written.</param>
    public async Task WriteToAsync(Stream output, CancellationToken stop)
    {
        await using var ending = stop.Register(Dispose);
        using var gathered = new MemoryStream();
        while (await _lines.Reader.WaitToReadAsync(CancellationToken.None))
        {
            await Task.Delay(Together, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            gathered.SetLength(0);
            while (_lines.Reader.TryRead(out var line)) gathered.Write(line);
            await output.WriteAsync(gathered.GetBuffer().AsMemory(0, (int)gathered.Length), CancellationToken.None);
        }
    }

    public void Dispose() => _lines.Writer.TryComplete();
}
