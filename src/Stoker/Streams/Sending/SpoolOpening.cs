namespace Stoker.Streams.Sending;

/// <summary>What became of an attempt to open a spool.</summary>
internal abstract record SpoolOpening
{
    private SpoolOpening()
    {
    }

    /// <param name="Notes">What was not as it should be, in words; nothing is lost by it.</param>
    internal sealed record Opened(Spool Spool, IReadOnlyList<string> Notes) : SpoolOpening;

    /// <summary>Another sender has its turn.</summary>
    /// <param name="Holder">Its process.</param>
    internal sealed record Busy(string Holder) : SpoolOpening;

    internal sealed record NotThere : SpoolOpening;

    /// <summary>Something is not as it was written; nothing was changed.</summary>
    internal sealed record Damaged(string Words) : SpoolOpening;

    /// <summary>The machine does not let it.</summary>
    internal sealed record Failed(string Words) : SpoolOpening;
}

/// <summary>What became of documents that were to be kept.</summary>
internal enum SpoolOutcome
{
    /// <summary>On the disk.</summary>
    Kept,

    /// <summary>Nothing of them is there.</summary>
    DiskFull,

    /// <summary>More than the spool commits at once, and more than a stream does.</summary>
    TooLarge,

    /// <summary>Nobody knows whether they are there until the spool is opened again.</summary>
    Failed,
}

/// <summary>Documents of one form, in their order, to be posted together.</summary>
/// <param name="Next">The first behind them.</param>
/// <param name="Hash">Of all up to there; null: not known.</param>
internal sealed record SpoolUnit(IReadOnlyList<SendItem> Items, ulong Next, ulong? Hash);
