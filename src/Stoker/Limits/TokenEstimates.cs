using System.Collections.Concurrent;

namespace Stoker.Limits;

/// <summary>
/// How many tokens a request will take, before anyone has counted: prompts by the bytes of their text, answers by <c>max_tokens</c> or, where the
/// client gives none, by the mean of such answers of the same model so far. Means forget: each new value weighs a thirty-second.
/// An estimate only decides what is reserved; what counts in the end is what the engine says.
/// </summary>
internal sealed class TokenEstimates
{
    /// <summary>English text; what a model is assumed to have until it has answered.</summary>
    public const double BytesPerToken = 4;

    /// <summary>Tokens of an answer, until the model has given some.</summary>
    public const long FirstCompletion = 512;

    /// <summary>Bounds of the learned mean.</summary>
    public const long LeastCompletion = 16, MostCompletion = 4096;

    private const double Weight = 1.0 / 32;

    private readonly ConcurrentDictionary<string, Means> _models = new();

    /// <param name="bytes">Of the prompt's text, or of the whole body where it is not known apart.</param>
    public long Prompt(string model, long bytes) =>
        (long)Math.Ceiling(bytes / (_models.TryGetValue(model, out var means) ? Volatile.Read(ref means.BytesPerToken) : BytesPerToken));

    /// <param name="maxTokens"><c>max_tokens</c> or <c>max_completion_tokens</c>; null: not given.</param>
    /// <param name="choices"><c>n</c>, at least 1.</param>
    /// <param name="room">What the context leaves beside the prompt; null: not known.</param>
    public long Completion(string model, long? maxTokens, int choices = 1, long? room = null)
    {
        var each = maxTokens ?? Mean(model);
        if (room is { } most) each = Math.Min(each, Math.Max(0, most));
        return each * Math.Max(1, choices);
    }

    /// <summary>What a request really took. Not to be called for answers that were cut short.</summary>
    /// <param name="bytes">As they were given to <see cref="Prompt"/>.</param>
    /// <param name="wasOpenEnded">The client gave no <c>max_tokens</c>.</param>
    public void Learn(string model, long bytes, long promptTokens, long completionTokens, bool wasOpenEnded)
    {
        var means = _models.GetOrAdd(model, static _ => new Means());
        lock (means)
        {
            if (promptTokens > 0 && bytes > 0)
            {
                // Images and templates make nonsense of the ratio; nothing has less than a byte or more than 16 a token for long.
                var ratio = Math.Clamp((double)bytes / promptTokens, 1, 16);
                Volatile.Write(ref means.BytesPerToken, means.BytesPerToken + ((ratio - means.BytesPerToken) * Weight));
            }

            if (wasOpenEnded) Volatile.Write(ref means.Completion, means.Completion + ((completionTokens - means.Completion) * Weight));
        }
    }

    private long Mean(string model) => _models.TryGetValue(model, out var means)
        ? Math.Clamp((long)Math.Round(Volatile.Read(ref means.Completion)), LeastCompletion, MostCompletion)
        : FirstCompletion;

    private sealed class Means
    {
        public double BytesPerToken = TokenEstimates.BytesPerToken;
        public double Completion = FirstCompletion;
    }
}
