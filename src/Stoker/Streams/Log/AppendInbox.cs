namespace Stoker.Streams.Log;

/// <summary>
/// Where the answers to appends arrive, many at a time: one per event loop. The notice comes on the writer's thread, once per commit and not once per append; an
/// event loop posts the taking of the answers to itself then.
/// </summary>
/// <param name="notice">There are answers and there were none. Must be quick and must not throw.</param>
internal sealed class AppendInbox(Action notice)
{
    private readonly Lock _access = new();
    private List<AppendResult> _arrived = [];
    private bool _unannounced;

    /// <summary>Takes what has arrived.</summary>
    /// <param name="into">Given back empty at the next call, to be filled meanwhile: two lists are used in turns.</param>
    /// <returns>The answers, in the order of the commits.</returns>
    public List<AppendResult> Take(List<AppendResult> into)
    {
        into.Clear();
        lock (_access)
        {
            (_arrived, into) = (into, _arrived);
            _unannounced = false;
        }

        return into;
    }

    /// <returns>True: it has to be announced when the commit's answers are all there.</returns>
    internal bool Put(in AppendResult result)
    {
        lock (_access)
        {
            _arrived.Add(result);
            var first = _arrived.Count == 1 && !_unannounced;
            _unannounced |= first;
            return first;
        }
    }

    internal void Announce() => notice();
}

/// <summary>What became of one append.</summary>
/// <param name="State">What the caller gave.</param>
/// <param name="FirstOffset">Of the first of its records; the others follow, unless each has one of its own. Has no meaning unless it is durable.</param>
internal readonly record struct AppendResult(AppendOutcome Outcome, object? State, int Partition, ulong FirstOffset, uint Count)
{
    /// <summary>One for each record, in a log where those of others come in between; null: they follow the first.</summary>
    public ulong[]? Offsets { get; init; }

    public ulong OffsetOf(uint index) => Offsets is null ? FirstOffset + index : Offsets[index];
}

internal enum AppendOutcome
{
    /// <summary>It is on the disk.</summary>
    Durable,

    /// <summary>The disk is full; it is not there and will not be.</summary>
    DiskFull,

    /// <summary>The disk failed: nobody knows whether it is there until the log is opened again.</summary>
    Failed,

    /// <summary>The log's server does not take it just now, or did not say whether it did.</summary>
    Unavailable,

    /// <summary>The log's server takes nothing so large.</summary>
    TooLarge,
}

/// <summary>Whether an append was taken; if not, nothing of it was.</summary>
internal enum AppendAnswer
{
    /// <summary>The inbox gets the outcome.</summary>
    Taken,

    /// <summary>Too much waits for the disk; a moment later there is room.</summary>
    Busy,

    /// <summary>Until somebody makes room; asked again by itself.</summary>
    DiskFull,

    /// <summary>The disk failed; until the log is opened again.</summary>
    Failed,

    /// <summary>More than fits in a batch.</summary>
    TooLarge,
    Closed,
}
