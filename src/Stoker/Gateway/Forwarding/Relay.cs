namespace Stoker.Gateway.Forwarding;

/// <summary>One replica's answer on its way to the client, and what is known of it so far, for whoever settles the request.</summary>
internal abstract class Relay
{
    /// <summary>As the engine told it, as far as it came.</summary>
    public abstract TokenUsage Usage { get; }

    /// <summary>Pieces of the answer that came after the engine last told its usage: the least number of tokens of which it has told nothing.</summary>
    public abstract long Pieces { get; }

    /// <summary>Bytes of the answer's body that were passed on.</summary>
    public long Passed { get; protected set; }

    public abstract ValueTask<RelayEnd> RunAsync();
}
