using Stoker.Keys;

namespace Stoker.Gateway.Answers;

/// <summary>Why a key is refused, in the words that OpenAI's clients know, and never with the key itself.</summary>
internal static class KeyErrors
{
    public static ApiError Of(KeyVerdict verdict, ReadOnlySpan<byte> authorization)
    {
        if (verdict == KeyVerdict.Missing) return ApiErrors.NoKey;
        var shown = Masked(KeyRing.Bearer(authorization));
        return new ApiError(401, "invalid_request_error", "invalid_api_key", verdict switch
        {
            KeyVerdict.Mistyped => $"Incorrect API key provided: {shown}. Its checksum is wrong: a letter is missing, added or changed.",
            KeyVerdict.Expired => $"The API key {shown} has expired.",
            KeyVerdict.Revoked => $"The API key {shown} has been revoked.",
            KeyVerdict.Rotated => $"The API key {shown} was replaced by a new one, and its time is over.",
            _ => $"Incorrect API key provided: {shown}. Keys are made by the gateway's owner with `stoker key create`.",
        })
        {
            ShouldRetry = false,
        };
    }

    /// <summary>Enough to recognise one's own key by, and too little to use it: <c>sk-stoke…9fQx</c>.</summary>
    private static string Masked(ReadOnlySpan<byte> secret) => secret.Length < 20
        ? "…"
        : $"{System.Text.Encoding.Latin1.GetString(secret[..8])}…{System.Text.Encoding.Latin1.GetString(secret[^4..])}";
}
