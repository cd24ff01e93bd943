using Stoker.Streams.Log;

namespace Stoker.Streams.Kafka;

/// <summary>A request's events in one partition, on their way: told of each, it tells the inbox once, with the worst outcome of all and each one's offset.</summary>
internal sealed class PendingAppend(int partition, AppendInbox inbox, object? state, uint count, Action ended)
{
    private readonly Lock _access = new();
    private readonly ulong[] _offsets = new ulong[count];
    private uint _left = count;
    private AppendOutcome _worst = AppendOutcome.Durable;

    public void Tell(uint index, AppendOutcome outcome, ulong offset)
    {
        lock (_access)
        {
            _offsets[index] = offset;
            if (Rank(outcome) > Rank(_worst)) _worst = outcome;
            if (--_left > 0) return;
        }

        ended();
        if (inbox.Put(new AppendResult(_worst, state, partition, _offsets[0], (uint)_offsets.Length) { Offsets = _offsets })) inbox.Announce();
    }

    /// <summary>What is too large stays so, and is told before what may pass.</summary>
    private static int Rank(AppendOutcome outcome) => outcome switch
    {
        AppendOutcome.Durable => 0,
        AppendOutcome.DiskFull => 1,
        AppendOutcome.Unavailable => 2,
        AppendOutcome.TooLarge => 3,
        AppendOutcome.Failed => 4,
    };
}
