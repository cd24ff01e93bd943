using Stoker.Estates.Keys;
using Stoker.Keys;
using Stoker.Streams.Archive;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Streams;

/// <summary>The keys of <c>streams:</c>; all are Stoker's own.</summary>
internal static class StreamKeys
{
    private static readonly KeyTable Retention = new("stream-retention", "How long events stay in the log after they were stored; what is not yet stored is never deleted.",
        new("age", "Deleted when older; default: kept.", Interval, Extension),
        new("size", "Bytes of the log, per partition, beyond which the oldest are deleted; default: any.", Size, Extension));

    private static readonly KeyTable Type = new("stream-type", "A type of CloudEvents that the stream knows.",
        new("schema", "File with a JSON Schema (draft 2020-12) for the data, relative to this file; default: any data, and for `gpu.facts.v1` the built-in one.", Text, Extension),
        new("embedding_dim", "Numbers that the vector at `embedding` of the data must have, or `any`; default: no vector is looked for.", OneOf(Range(1, 65536), Word("any")), Extension));

    private static readonly KeyTable Constant = new("stream-constant", "A value that is the same for all documents.",
        new KeyRow("value", "A text, number, boolean, list or mapping.", Anything, Extension) { Required = true });

    private static readonly KeyTable Map = new("stream-map", "Changes of the documents. All read the document as it would be without any.",
        new("version", "The owner's word for these mappings; stands in each document's `lineage.transform` before a hash of them.", Text, Extension),
        new("set", "Fields to write: the place, and the path that the value comes from, or `{value: …}`.", Shapes.Map(OneOf(Text, Keyed(Constant))), Extension),
        new("rename", "Fields to move: the path, and the place where it goes.", Shapes.Map(Text), Extension),
        new("drop", "Fields to leave out.", DistinctTexts, Extension));

    private static readonly KeyTable Enrich = new("stream-enrich", "What the estate knows of where events come from.",
        new KeyRow("host", "Path in the event's data where the name or address of its host stands; the host's facts are written to `enrichment`.", Text, Extension));

    private static readonly KeyTable Archive = new("stream-archive",
        "Where all that comes in is kept as compressed lines, whatever becomes of the store; keys are taken from variables of the daemon's environment.",
        new("to", "A directory (relative to this file), or `s3://BUCKET/PREFIX`.", Text, Extension) { Required = true },
        new("endpoint", "URL of a server that speaks S3; default: Amazon's of the region.", Text, Extension),
        new("region", "Default `us-east-1`.", Text, Extension),
        new("access_key", "Name of the variable that holds the access key's id; default `AWS_ACCESS_KEY_ID`.", Text, Extension),
        new("secret_key", "Name of the variable that holds the access key's secret; default `AWS_SECRET_ACCESS_KEY`.", Text, Extension),
        new("every", "Age of its first event at which an object is closed, a second at least; default 5m.", Interval, Extension),
        new("size", "Compressed bytes of an object at which it is closed; default 64MiB.", Size, Extension),
        new("what", "`raw` (each event as it came), `enriched` (each document as the store gets it); default: both.", List(Word(ArchiveSpec.Raw, ArchiveSpec.Enriched), distinct: true), Extension));

    private static readonly KeyTable Table = new("stream", "A stream of events.",
        new("listen", "Address and port where producers post; default `127.0.0.1:8010`.", Text, Extension),
        new("auth", "`keys`: producers show one with the scope `ingest`; `none` (default) is only allowed where it listens on this machine alone.", Word("keys", "none"), Extension),
        new("keys", "Keys for this stream alone, beside those that `gateway.keys` declares and `stoker key create` makes; needs `auth: keys`.", DeclaredKeyTables.OfStream, Extension),
        new("path", "Path where producers post; default `/metadata`.", Text, Extension),
        new("host", "The host that runs it; default: the only host.", Text, Extension),
        new("log", "What holds the events: `embedded` (default), or a topic, as in `kafka://broker:9092/gpu-metadata`.", Text, Extension),
        new("log_password", "Name of the variable of the daemon's environment that holds the password of Kafka's user.", Text, Extension),
        new("partitions", "Orders that are written and stored side by side; fixed when the log is made; default 1, or as many as the topic has.", Range(1, 64), Extension),
        new("store", "Where documents are kept, as in `sqlite:metadata.db` (relative to this file) or `postgres://user@host/database`; default: `documents.db` in the state directory.",
            Text, Extension),
        new("password", "Name of the variable of the daemon's environment that holds the store's password.", Text, Extension),
        new("embedding_dim", "Numbers that each embedding must have; default: any.", Range(1, 65536), Extension),
        new("types", "Types of CloudEvents, by their names, with the schema of their data.", Shapes.Map(OrNothing(Keyed(Type))), Extension),
        new("unknown_types", "What becomes of events of other types: `take` (default) or `refuse`.", Word("take", "refuse"), Extension),
        new("map", "Fields to write, move and leave out in documents; default: none.", Keyed(Map), Extension),
        new("enrich", "What is looked up in the estate for each event; default: the stream's own host is written.", Keyed(Enrich), Extension),
        new("max_event", "The largest event that is taken, at least 64KiB; default 1MiB.", Size, Extension),
        new("max_batch", "The most events in one request; default 10000.", Range(1, 100_000), Extension),
        new("retention", "How long events stay in the log; of the embedded one only.", Keyed(Retention), Extension),
        new("archive", "Where all that comes in is kept outside of the log: a directory, `s3://BUCKET/PREFIX`, or a mapping.", OneOf(Text, Keyed(Archive)), Extension));

    public static readonly Shape Section = Shapes.Map(Keyed(Table));
}
