namespace Stoker.Streams.Sending;

/// <summary>
/// What a producer has, until a stream has it: documents on their way, and the spool that keeps them while the stream is away.
/// <code>
/// document ─► post ─► 202: the stream has it          SPOOL/log             the documents, in their order: the embedded log
///               └─ away ─► SendStamp ─► Spool.Keep    SPOOL/log/0/*.position how far the stream has them
///  Spool.Next ◄── later ◄──────────────────┘          SPOOL/refused.ndjson  what the stream did not want, with its reasons
///      └─► post ─► Spool.Acknowledge ─► trimmed
/// </code>
/// Promises: what was kept is synced and is delivered in order, with the id and the time that it would have had; the position moves only after the stream has answered, so that
/// a kill in between sends the same events again and makes no second documents; what the stream refuses is put aside before the position passes it. Several senders take turns:
/// one at a time has the spool open. Refuses: a full disk, and a spool that is not as it was written.
/// </summary>
internal static class SendingModule
{
    /// <summary>In one request; and in one commit of the spool, so that either is delivered whole.</summary>
    public const int MostItems = 500, MostBytes = 1 << 20;
}
