namespace Stoker.Models.Speed;

/// <summary>
/// The course of one streamed answer, event by event with its time, and what follows from it. Pure: the times are given.
/// </summary>
internal sealed class SpeedCourse
{
    /// <summary>Fewer tokens than these say nothing about a speed.</summary>
    public const int FewestTokens = 8;

    private TimeSpan _first;
    private TimeSpan _last;
    private bool _isEnded;
    private bool _hasThought;
    private int? _told;
    private int _thought;
    private string? _error;

    /// <summary>Events that carried a piece of the answer.</summary>
    public int Pieces { get; private set; }

    /// <summary>No event after this one says anything of the answer.</summary>
    public bool IsOver { get; private set; }

    /// <param name="at">Since the request was sent.</param>
    public void Take(in ChatEvent happened, TimeSpan at)
    {
        if (IsOver) return;
        _error = happened.Error;
        // The same as for the gateway: an answer is whole when its choice has told its finish, or when [DONE] came.
        _isEnded |= happened.IsDone || happened.HasFinish;
        IsOver = happened.IsDone || _error is not null;
        _hasThought |= happened.HasThought;
        if (happened.Tokens is { } tokens) (_told, _thought) = (tokens, happened.Thought);
        if (!happened.HasText && !happened.HasThought) return;
        if (Pieces++ == 0) _first = at;
        _last = at;
    }

    /// <summary>What the whole course says, once nothing more comes.</summary>
    /// <param name="broken">How the connection failed; null: it ended as connections do.</param>
    public SpeedOutcome Outcome(string? broken = null)
    {
        if (_error is not null) return new SpeedOutcome.Failed(_error);
        if (!_isEnded) return new SpeedOutcome.Failed($"{broken ?? "the stream ended before its end"}, after {Count(Pieces, "piece")} of the answer");
        // Thoughts that are kept from the client were over before the first token that it saw.
        var tokens = _told is { } told ? Math.Max(0, _hasThought ? told : told - _thought) : Pieces;
        if (Pieces == 0 || tokens == 0) return new SpeedOutcome.Failed("the answer ended well and is empty");
        if (tokens < FewestTokens) return new SpeedOutcome.Unclear(_first, tokens, $"too short to say: {Count(tokens, "token")}");
        if (_last <= _first) return new SpeedOutcome.Unclear(_first, tokens, $"all {tokens} tokens came at once");
        // What the first event brought was generated before the time that is measured. Events are taken to be of one size: engines
        // that put several tokens into each (speculative decoding, batched output) do so throughout.
        var during = tokens * (Pieces - 1.0) / Pieces;
        return new SpeedOutcome.Measured(_first, tokens, during / (_last - _first).TotalSeconds, _told is null);
    }

    private static string Count(int count, string word) => count == 1 ? $"1 {word}" : $"{count} {word}s";
}
