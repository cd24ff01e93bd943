namespace Stoker.Streams.Work;

/// <summary>An event that cannot become a document, and why.</summary>
/// <param name="Cause">A code that stays, by which they are grouped.</param>
/// <param name="Path">The place in the data that is wrong; empty: the whole.</param>
/// <param name="Frame">The event as the log has it.</param>
/// <param name="Logged">When the log took it, microseconds of UTC.</param>
internal sealed record DeadLetter(int Partition, ulong Offset, string Source, string EventId, string Cause, string Path, string Message, byte[] Frame, long Logged)
{
    /// <summary>When it was first put aside, microseconds of UTC.</summary>
    public long FirstSeen { get; init; }

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; } = 1;

    public DeadLetterState State { get; init; }
}

internal enum DeadLetterState
{
    /// <summary>Waits for somebody to decide.</summary>
    Waiting,

    /// <summary>Is to be tried again.</summary>
    Retrying,

    /// <summary>Was tried again and became a document.</summary>
    Stored,

    /// <summary>Somebody decided that it is not wanted. It stays readable.</summary>
    Dropped,
}
