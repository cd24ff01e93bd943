namespace Stoker.Gpus;

/// <summary>
/// GPUs: what they are and how they are now, who is on them, and what to do when one fails.
/// <code>
/// IGpuDriver (NVML, or simulated) ─► GpuDoor ─► GpuSampler ─► GpuSnapshot ─┬─► documents, metrics by DCGM's names
///                                                              owners ─────┼─► GpuLedger: declared against measured
///                                                                          └─► HealingPolicy: Xid ─► restart, reset, drain, nothing
/// declared cards and requests ─► Mig/MigSolver ─► a layout, or why there is none
/// </code>
/// Promises: a byte of GPU memory that somebody uses has an owner, or is told as a stranger's; what a card does not tell is told as that; what is simulated is marked in every view.
/// Refuses: DCGM and the CUDA toolkit; to call a card healthy whose driver does not answer; to heal what the table does not name.
/// </summary>
internal static class GpusModule
{
    /// <summary>Between two samples.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);
}
