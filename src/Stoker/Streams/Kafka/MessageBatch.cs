using Confluent.Kafka;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Kafka;

/// <summary>Messages that were fetched, as records. Their offsets may have holes, where there is nothing to be read: markers of transactions, what was compacted.</summary>
internal sealed class MessageBatch(MessageRecords records, IReadOnlyList<ConsumeResult<byte[], byte[]?>> messages) : RecordBatch
{
    private int _next;

    public override ulong FirstOffset => OffsetOf(messages[0]);

    public override ulong NextOffset => OffsetOf(messages[^1]) + 1;

    public override RunningHash Hash => MessageRecords.HashOf(OffsetOf(messages[^1]), messages[^1].Message);

    public override long GreatestTime => messages.Max(each => MessageRecords.TimeOf(each.Message));

    public override ReadOnlyMemory<byte> AsItCame(in LogRecord record) => records.AsItCame(record, messages[_next - 1].Message);

    public override void Dispose()
    {
    }

    protected internal override void Rewind() => _next = 0;

    protected internal override bool TryNext(out LogRecord record)
    {
        record = default;
        if (_next == messages.Count) return false;
        var each = messages[_next++];
        record = records.Read(OffsetOf(each), each.Message);
        return true;
    }

    private static ulong OffsetOf(ConsumeResult<byte[], byte[]?> each) => (ulong)each.Offset.Value;
}
