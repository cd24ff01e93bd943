namespace Stoker.Streams.Log.Reading;

/// <summary>What a reader came upon next. Nothing is ever left out without a word.</summary>
internal abstract record ReadOutcome
{
    private ReadOutcome()
    {
    }

    /// <param name="Value">The caller's, to dispose of.</param>
    internal sealed record Batch(RecordBatch Value) : ReadOutcome;

    /// <summary>There is nothing more yet.</summary>
    internal sealed record End : ReadOutcome
    {
        public static End Instance { get; } = new();
    }

    /// <summary>Records that were damaged and have been taken out.</summary>
    /// <param name="To">The first behind them. Where nobody knew how many were lost, some of these never were.</param>
    internal sealed record Gap(ulong From, ulong To) : ReadOutcome;

    /// <summary>Records that retention has deleted.</summary>
    /// <param name="To">The first that is still there.</param>
    internal sealed record Deleted(ulong From, ulong To) : ReadOutcome;

    /// <summary>What must be here is not here as it was written. The reader stays before it.</summary>
    internal sealed record Damaged(LogDamage Value) : ReadOutcome;
}
