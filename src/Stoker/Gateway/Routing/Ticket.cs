using System.Buffers;

namespace Stoker.Gateway.Routing;

/// <summary>One waiting request: what is needed to place it, and its place in the queue.</summary>
internal sealed class Ticket(IWaiter waiter, string key, Priority priority)
{
    private static long _numbers;
    private AdmissionQueue? _queue;

    /// <summary>Whose request it is; the empty string where nobody has keys.</summary>
    public string Key => key;

    public Priority Priority => priority;

    /// <summary>The key's part beside other keys of the same class.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Tokens of prompt and answer, estimated; at least 1.</summary>
    public long Cost { get; init; } = 1;

    /// <summary>When it is refused if it still waits, in steady ticks.</summary>
    public long Deadline { get; init; } = long.MaxValue;

    public int PromptTokens { get; init; }

    public ulong Session { get; init; }

    public ulong[] Prefix { get; init; } = [];

    public ulong[] Tried { get; init; } = [];

    public long Sequence { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Where the decision is explained; null: not at all.</summary>
    public IBufferWriter<byte>? Explain { get; init; }

    public long EnteredAt { get; private set; }

    /// <summary>In the order of coming, over all queues.</summary>
    public long Number { get; } = Interlocked.Increment(ref _numbers);

    /// <summary>Changed under the queue's lock only.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Its turn, from 1 on; 0 when it does not wait any more.</summary>
    public int Position => _queue?.PositionOf(this) ?? 0;

    /// <summary>How long until its turn, by the rate at which places became free of late; null when not enough was measured.</summary>
    public TimeSpan? Eta(long now) => _queue?.TimeTo(this, now);

    /// <summary>The client has left.</summary>
    /// <returns>False when it was decided before: then the waiter is called, and a lease must be ended.</returns>
    public bool Leave() => _queue?.Leave(this) ?? false;

    internal void Enter(AdmissionQueue queue, long now)
    {
        _queue = queue;
        EnteredAt = now;
        IsWaiting = true;
    }

    internal void Tell(in Admission admission) => waiter.Decided(admission);
}
