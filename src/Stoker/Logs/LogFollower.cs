using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Stoker.Logs;

/// <summary>One line of a replica's output, or a piece of a very long one. The message is what the service wrote, byte for byte, secrets replaced.</summary>
internal sealed record LogLine(string Service, int Replica, DateTimeOffset Time, LogStream Stream, ReadOnlyMemory<byte> Message, bool Partial);

/// <summary>What a follower is given.</summary>
internal abstract record LogFeed
{
    internal sealed record Line(LogLine Value) : LogFeed;

    /// <summary>So many lines, all before the next one, went by while the follower was too slow. They are in the files.</summary>
    internal sealed record Missed(long Count) : LogFeed;
}

/// <summary>New lines of many replicas, on their way to one reader. It holds a bounded number of lines and bytes and never delays the pump.</summary>
internal sealed class LogFollower : IDisposable
{
    private const int MostLines = 16384;
    private const long MostBytes = 16 << 20;

    // Each line says how many were missed right before it.
    private readonly Channel<(LogLine Line, long MissedBefore)> _lines =
        Channel.CreateBounded<(LogLine, long)>(new BoundedChannelOptions(MostLines) { SingleReader = true });

    private readonly Lock _count = new();
    private readonly Func<string, int, bool> _wants;
    private readonly LogPump _pump;
    private long _bytes;
    private long _missed;

    internal LogFollower(Func<string, int, bool> wants, IReadOnlyDictionary<string, LogPosition> starts, LogPump pump)
    {
        _wants = wants;
        Starts = starts;
        _pump = pump;
    }

    /// <summary>By log path: what the file holds before this is history, all after it comes here.</summary>
    public IReadOnlyDictionary<string, LogPosition> Starts { get; }

    /// <summary>The lines as they come, until cancelled or the pump ends.</summary>
    public async IAsyncEnumerable<LogFeed> Read([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach ((LogLine line, long missedBefore) in _lines.Reader.ReadAllAsync(cancellation))
        {
            if (missedBefore > 0)
            {
                yield return new LogFeed.Missed(missedBefore);
            }

            yield return new LogFeed.Line(line);
            if (Taken(line) is > 0 and long missedAfter)
            {
                yield return new LogFeed.Missed(missedAfter);
            }
        }
    }

    public void Dispose()
    {
        End();
        _pump.Unfollow(this);
    }

    internal void End() => _lines.Writer.TryComplete();

    internal void Offer(string service, int replica, DateTimeOffset time, LogStream stream, ReadOnlySpan<byte> message, bool partial)
    {
        if (!_wants(service, replica))
        {
            return;
        }

        lock (_count)
        {
            bool full = _lines.Reader.Count >= MostLines || _bytes + message.Length > MostBytes;
            if (full || !_lines.Writer.TryWrite((new LogLine(service, replica, time, stream, message.ToArray(), partial), _missed)))
            {
                _missed++;
                return;
            }

            _missed = 0;
            _bytes += message.Length;
        }
    }

    // What was missed after the last line that is queued must be told even if no line follows.
    private long Taken(LogLine line)
    {
        lock (_count)
        {
            _bytes -= line.Message.Length;
            if (_lines.Reader.Count > 0)
            {
                return 0;
            }

            long missed = _missed;
            _missed = 0;
            return missed;
        }
    }
}
