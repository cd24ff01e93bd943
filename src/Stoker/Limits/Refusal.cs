using System.Globalization;

namespace Stoker.Limits;

/// <summary>What there was too much of.</summary>
internal enum LimitKind : byte
{
    Requests,
    Tokens,
    Concurrent,
    Budget,

    /// <summary>Of a stream.</summary>
    Events,
}

/// <summary>Whose limit it is.</summary>
internal enum LimitScope : byte
{
    /// <summary>The key's, over all models.</summary>
    Key,

    /// <summary>The key's, for this model.</summary>
    KeyAndModel,

    /// <summary>The model's, over all keys.</summary>
    Model,
}

/// <summary>Why a request is not admitted now.</summary>
/// <param name="Limit">What is allowed.</param>
/// <param name="Used">What counts already, reservations included.</param>
/// <param name="Requested">What this request asks for.</param>
/// <param name="RetryAfter">
/// When it would be admitted if nobody else came; for <see cref="LimitKind.Concurrent"/>, which no clock decides, one second. Null: never, because it
/// asks for more than the limit as a whole, or because a budget for ever is spent.
/// </param>
internal readonly record struct Refusal(LimitKind Kind, LimitScope Scope, long Limit, long Used, long Requested, TimeSpan? RetryAfter)
{
    /// <summary>OpenAI's word for <c>error.type</c>: which kind of limit, or that the money is spent.</summary>
    public string ErrorType => Kind switch
    {
        LimitKind.Tokens => "tokens",
        LimitKind.Budget => "insufficient_quota",
        LimitKind.Requests or LimitKind.Concurrent or LimitKind.Events => "requests",
    };

    /// <summary>OpenAI's word for <c>error.code</c>.</summary>
    public string ErrorCode => Kind == LimitKind.Budget ? "insufficient_quota" : "rate_limit_exceeded";

    /// <summary>The sentence for <c>error.message</c>, in the manner of OpenAI's, which clients search for <c>try again in</c>.</summary>
    /// <param name="key">The key's name.</param>
    public string Message(string model, string key)
    {
        var whose = Scope switch
        {
            LimitScope.Key => $"for key `{key}`",
            LimitScope.KeyAndModel => $"for `{model}` with key `{key}`",
            LimitScope.Model => $"for `{model}` over all keys",
        };
        var numbers = string.Create(CultureInfo.InvariantCulture, $"Limit {Limit}, Used {Used}, Requested {Requested}.");
        var again = RetryAfter is { } wait ? $" Please try again in {GoDuration.Text(wait)}." : "";
        if (Kind == LimitKind.Budget) return $"You exceeded your current quota: the token budget {whose} is spent. {numbers}{again}";
        var what = Kind switch
        {
            LimitKind.Requests => "requests per min (RPM)",
            LimitKind.Tokens => "tokens per min (TPM)",
            _ => "concurrent requests",
        };
        return RetryAfter is null
            ? $"Request too large {whose} on {what}: {numbers} The prompt and `max_tokens` together must be smaller."
            : $"Rate limit reached {whose} on {what}: {numbers}{again}";
    }
}
