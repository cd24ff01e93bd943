using System.Globalization;
using Stoker.Keys;
using Stoker.Limits;

namespace Stoker.Streams.Serving;

/// <summary>Why a key is refused, never with the key itself. Challenges are those of RFC 6750.</summary>
internal static class KeyProblems
{
    private const string NoKey = "Bearer realm=\"stoker\"", BadKey = NoKey + ", error=\"invalid_token\"";

    private static readonly Problem Missing = Refused("send `authorization: Bearer KEY`; the stream's owner makes one with `stoker key create NAME --scope ingest`", NoKey);
    private static readonly Problem Mistyped = Refused("its checksum is wrong: a letter of the key is missing, added or changed");
    private static readonly Problem Expired = Refused("the key has expired");
    private static readonly Problem Revoked = Refused("the key was revoked");
    private static readonly Problem Rotated = Refused("the key was replaced by a new one, and its time is over");

    /// <summary>Perhaps made a moment ago.</summary>
    public static Problem Unknown { get; } = Refused("the key is none that this stream knows");

    public static Problem OtherStream { get; } = new(403, "forbidden", "The key is for other streams", "its owner has not given it to this one")
    {
        Challenge = NoKey + ", error=\"insufficient_scope\"",
    };

    public static Problem Of(KeyVerdict verdict) => verdict switch
    {
        KeyVerdict.Missing => Missing,
        KeyVerdict.Mistyped => Mistyped,
        KeyVerdict.Expired => Expired,
        KeyVerdict.Revoked => Revoked,
        KeyVerdict.Rotated => Rotated,
        KeyVerdict.Unknown or KeyVerdict.Valid => Unknown,
    };

    public static Problem NotAllowed(KeyScopes scope)
    {
        var word = KeyWords.Of(scope)[0];
        return new Problem(403, "forbidden", "The key may not do this", $"it does not have the scope `{word}` that this needs")
        {
            Challenge = $"{NoKey}, error=\"insufficient_scope\", scope=\"{word}\"",
        };
    }

    public static Problem Of(Refusal refusal)
    {
        var what = refusal.Kind switch
        {
            LimitKind.Events => "events in a minute",
            LimitKind.Concurrent => "requests at once",
            LimitKind.Requests or LimitKind.Tokens or LimitKind.Budget => "requests in a minute",
        };
        var numbers = string.Create(CultureInfo.InvariantCulture, $"at most {refusal.Limit} {what}: {refusal.Used} are used, {refusal.Requested} asked for");
        return refusal.RetryAfter is { } wait
            ? new Problem(429, "rate-limit", "The key has reached its limit", $"{numbers}; nothing of the request was taken") { RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) }
            : new Problem(413, "too-large", "The request is more than the key may ever send at once", $"{numbers}; send fewer in one request");
    }

    private static Problem Refused(string detail, string challenge = BadKey) => new(401, "unauthorized", "A key is needed", detail) { Challenge = challenge };
}
