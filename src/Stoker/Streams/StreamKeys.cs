using Stoker.Estates.Keys;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Streams;

/// <summary>The keys of <c>streams:</c>; all are Stoker's own.</summary>
internal static class StreamKeys
{
    private static readonly KeyTable Retention = new("stream-retention", "How long events stay in the log after they were stored; what is not yet stored is never deleted.",
        new("age", "Deleted when older; default: kept.", Interval, Extension),
        new("size", "Bytes of the log, per partition, beyond which the oldest are deleted; default: any.", Size, Extension));

    private static readonly KeyTable Table = new("stream", "A stream of events.",
        new("listen", "Address and port where producers post; default `127.0.0.1:8010`.", Text, Extension),
        new("path", "Path where producers post; default `/metadata`.", Text, Extension),
        new("host", "The host that runs it; default: the only host.", Text, Extension),
        new("log", "What holds the events: `embedded` (default), or a topic, as in `kafka://broker:9092/gpu-metadata`.", Text, Extension),
        new("log_password", "Name of the variable of the daemon's environment that holds the password of Kafka's user.", Text, Extension),
        new("partitions", "Orders that are written and stored side by side; fixed when the log is made; default 1, or as many as the topic has.", Range(1, 64), Extension),
        new("store", "Where documents are kept, as in `sqlite:metadata.db` (relative to this file) or `postgres://user@host/database`; default: `documents.db` in the state directory.",
            Text, Extension),
        new("password", "Name of the variable of the daemon's environment that holds the store's password.", Text, Extension),
        new("embedding_dim", "Numbers that each embedding must have; default: any.", Range(1, 65536), Extension),
        new("max_event", "The largest event that is taken, at least 64KiB; default 1MiB.", Size, Extension),
        new("max_batch", "The most events in one request; default 10000.", Range(1, 100_000), Extension),
        new("retention", "How long events stay in the log; of the embedded one only.", Keyed(Retention), Extension));

    public static readonly Shape Section = Map(Keyed(Table));
}
