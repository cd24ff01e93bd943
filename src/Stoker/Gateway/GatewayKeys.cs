using Stoker.Estates.Keys;
using Stoker.Keys;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Gateway;

/// <summary>The keys of <c>gateway:</c>; all are Stoker's own.</summary>
internal static class GatewayKeys
{
    private static readonly KeyTable Times = new("gateway-timeouts", "How long the parts of a request may take; a model may say otherwise.",
        new("connect", "To connect to a replica; default 2s.", Interval, Extension),
        new("first_byte", "To the first token: waiting in the engine and reading the prompt; default 5m.", Interval, Extension),
        new("between_chunks", "Between two pieces of the answer; default 1m.", Interval, Extension),
        new("total", "All in all; default 1h.", Interval, Extension),
        new("queue", "Waiting for a replica when all are busy; default 30s.", Interval, Extension));

    public static readonly KeyTable Table = new("gateway", "The gateway in front of the models.",
        new("listen", "Address and port, or several; default `127.0.0.1:8000`.", TextOrTexts, Extension),
        new("auth", "`keys` (default), or `none`, which is only allowed where it listens on this machine alone.", Word("keys", "none"), Extension),
        new("host", "The host that runs it; default: the only host.", Text, Extension),
        new("keys", "Keys that the file declares, beside those that `stoker key create` makes.", DeclaredKeyTables.Shape, Extension),
        new("limits", "Limits over all keys, by model or pattern; the first that fits counts.", Map(Keyed(DeclaredKeyTables.Limit)), Extension),
        new("timeouts", "How long the parts of a request may take.", Keyed(Times), Extension),
        new("max_body", "The largest request that is taken; default 32MiB.", Size, Extension),
        new("cors", "Origins of web pages that may call it, as in `https://chat.example.org`; `*`: any; default: none.", DistinctTexts, Extension),
        new("session_header", "Requests with the same value of this header go to the same replica while its load allows; default: no sessions.", Text, Extension),
        new("keep_ledger", "How long single requests are kept in the ledger; sums of days are kept for ever. Default 90d.", Interval, Extension),
        new("log_decisions", "Of so many routing decisions one is written to the log; 1: each; 0: none; default 100.", Natural, Extension));

    public static readonly Shape Section = Keyed(Table);
}
