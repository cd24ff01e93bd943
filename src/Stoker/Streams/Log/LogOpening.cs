namespace Stoker.Streams.Log;

/// <summary>What became of an attempt to open a log.</summary>
internal abstract record LogOpening
{
    private LogOpening()
    {
    }

    /// <param name="Torn">What was cut off: nobody had been told that it was there.</param>
    /// <param name="Notes">What else was not as it should be, in words; nothing is lost by it.</param>
    internal sealed record Opened(StreamLog Log, IReadOnlyList<TornTail> Torn, IReadOnlyList<string> Notes) : LogOpening;

    /// <summary>Another process writes it.</summary>
    /// <param name="Holder">What that one wrote into the lock.</param>
    internal sealed record Locked(string Holder) : LogOpening;

    /// <summary>There is none, and none was to be made.</summary>
    internal sealed record NotThere : LogOpening;

    /// <summary>Something is not there as it was written; nothing was changed. <see cref="Opening.LogQuarantine"/> sets the damage aside so that the rest can be served.</summary>
    internal sealed record Refused(IReadOnlyList<LogDamage> Damages) : LogOpening;

    /// <summary>The machine does not let it: rights, a full disk, a broken one.</summary>
    internal sealed record Failed(string Words, int Error) : LogOpening;
}
