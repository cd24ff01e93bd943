namespace Stoker.Streams.Ingest;

/// <summary>Where the log has an event. Its id is <c>PARTITION-OFFSET</c>.</summary>
internal readonly record struct EventReceipt(string Log, int Partition, long Offset);
