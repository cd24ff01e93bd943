using Stoker.Estates.Keys;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Keys;

/// <summary>The keys of the estate file with which API keys are declared; the gateway's own table has <see cref="Shape"/> under <c>keys</c>.</summary>
internal static class DeclaredKeyTables
{
    public static readonly KeyTable Limit = new("limit", "How much in a minute, and how much at once.",
        new("requests_per_minute", "Requests admitted in any 60 seconds; default: no limit.", Text, Extension),
        new("tokens_per_minute", "Tokens, prompt and answer, of the requests admitted in any 60 seconds, as in `20k`; default: no limit.", Text, Extension),
        new("concurrent", "Requests under way at once; default: no limit.", Range(1, 1_000_000), Extension));

    private static readonly KeyRow Events = new("events_per_minute", "Events that streams take of it in any 60 seconds, as in `6k`; default: no limit.", Text, Extension);

    public static readonly KeyTable Limits = new("key_limits", "What a key is limited to.",
    [
        .. Limit.Rows,
        Events,
        new("models", "Limits for single models beside the key's own, by name or pattern; the first that fits counts.", Map(Keyed(Limit)), Extension),
    ]);

    public static readonly KeyTable Budget = new("budget", "How many tokens a key may use in a calendar day or month, or ever.",
        new("tokens", "Tokens, prompt and answer, as in `5M`.", Text, Extension) { Required = true },
        new("period", "A calendar `day` or `month` in UTC, or `total`; default `month`.", Word(KeyWords.Periods), Extension));

    public static readonly KeyTable Key = new("api_key", "A key for users of the gateway, or of streams. Its secret is in a file or in the daemon's environment, never here.",
        new("file", "The file whose only line is the secret, at least 24 characters; relative to the estate.", Text, Extension),
        new("environment", "The variable of the daemon's environment that holds the secret.", Text, Extension),
        new("scopes", "What it may do: `inference`, `explain`, `metrics`, `ingest`; default `inference`.", List(Word(KeyWords.Scopes), distinct: true), Extension),
        new("models", "Models and aliases it may use, with `*` for any characters; default: all.", DistinctTexts, Extension),
        new("streams", "Streams that it may send to, where it has the scope `ingest`; default: all.", DistinctTexts, Extension),
        new("limits", "Requests, tokens and events per minute and requests at once; default: no limits.", Keyed(Limits), Extension),
        new("budget", "Tokens per day or month, or in total; default: no budget.", Keyed(Budget), Extension),
        new("priority", "Who is served first when all replicas are busy: `high`, `normal` or `low`; default `normal`.", Word(KeyWords.Priorities), Extension),
        new("weight", "Its share beside other keys of the same priority; default 1.", Range(1, 1000), Extension),
        new("expires", "When it ends: a date or a time, as in `2027-01-31` (its first moment in UTC); default: never.", Text, Extension));

    private static readonly KeyTable StreamLimits = new("stream_key_limits", "What a producer is limited to.",
        Limit.Find("requests_per_minute")!,
        Events,
        Limit.Find("concurrent")!);

    private static readonly KeyTable StreamKey = new("stream_key", "A key for the producers of one stream. Its secret is in a file or in the daemon's environment, never here.",
        Key.Find("file")!,
        Key.Find("environment")!,
        new("scopes", "What it may do: `ingest` (default), `metrics`.", List(Word(KeyWords.OfStreams), distinct: true), Extension),
        new("limits", "Requests and events per minute and requests at once; default: no limits.", Keyed(StreamLimits), Extension),
        Key.Find("expires")!);

    /// <summary>Of <c>gateway.keys</c>: keys by name.</summary>
    public static readonly Shape Shape = Named(Keyed(Key));

    /// <summary>Of <c>streams.NAME.keys</c>: keys by name.</summary>
    public static readonly Shape OfStream = Named(Keyed(StreamKey));
}
