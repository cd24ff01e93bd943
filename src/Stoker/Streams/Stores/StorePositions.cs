namespace Stoker.Streams.Stores;

/// <summary>A partition of a log, by the log's identity.</summary>
internal readonly record struct LogPlace(string Log, int Partition);

/// <summary>How far a store is in a partition.</summary>
/// <param name="Next">The first offset that it has not had.</param>
/// <param name="Hash">The log's running hash of everything before.</param>
internal readonly record struct StorePosition(long Next, ulong Hash);

/// <summary>The right to write from a partition, until somebody else takes it.</summary>
/// <param name="Position">Where the store was when it was taken.</param>
internal sealed record StoreClaim(LogPlace Place, long Epoch, StorePosition Position);
