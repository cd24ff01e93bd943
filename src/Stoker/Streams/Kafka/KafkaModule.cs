namespace Stoker.Streams.Kafka;

/// <summary>
/// A topic of Kafka as a stream's log, behind the same seam as the embedded one.
/// <code>
/// POST ─► KafkaProducer (idempotent, acks=all) ─► topic ─► delivery reports ─► 202 with each event's offset
///                                                  │ others' CloudEvents too
/// KafkaGroup: which partitions are ours ─► worker ─► KafkaReader from the store's position ─► MessageRecords ─► documents, as from any log
///                                             └─► stored: committed to the group, for tools that show a lag
/// </code>
/// Promises: an answer only when every in-sync replica has the event; events of one source in one partition, in order; what is stored begins at the store's own
/// position and never at the group's; a partition is given away when nothing of it is being stored any more, and a process that does not know it has lost one is
/// refused by the store; what others put into the topic is held to the door's checks, and what is no event is a dead letter; a topic that was made anew is noticed.
/// Refuses: a topic that is not there or has other partitions than were declared; to delete or to verify a broker's bytes; passwords in addresses.
/// </summary>
internal static class KafkaModule
{
    /// <summary>Whether an address is one of Kafka; what is wrong with it is told by <see cref="KafkaAddress.Parse"/>.</summary>
    public static bool IsAddress(string log) => log.StartsWith(KafkaAddress.Scheme, StringComparison.Ordinal);
}
