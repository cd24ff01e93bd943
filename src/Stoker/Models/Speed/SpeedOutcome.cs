namespace Stoker.Models.Speed;

/// <summary>What one replica was found to be like.</summary>
internal abstract record SpeedOutcome
{
    /// <summary>The answer was whole, and long enough to tell.</summary>
    /// <param name="FirstToken">From the request to the first token.</param>
    /// <param name="Tokens">Generated in all.</param>
    /// <param name="PerSecond">Tokens per second from the first token to the last one.</param>
    /// <param name="IsCounted">The replica did not say how many tokens it had generated, and each event counts as one.</param>
    internal sealed record Measured(TimeSpan FirstToken, int Tokens, double PerSecond, bool IsCounted) : SpeedOutcome;

    /// <summary>The answer was whole, and says nothing about the speed.</summary>
    internal sealed record Unclear(TimeSpan FirstToken, int Tokens, string Why) : SpeedOutcome;

    /// <summary>No answer, or one that was not whole.</summary>
    internal sealed record Failed(string Why) : SpeedOutcome;
}
