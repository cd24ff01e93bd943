namespace Stoker.Platform.Gpus;

/// <summary>
/// Work on GPUs, as a seam: CUDA's driver (<see cref="CudaCompute"/>), or cards that are simulated.
/// Promises: what a card refuses or fails at is a <see cref="GpuComputeException"/> in the driver's words; memory that is not there is null. Refuses: to work without a driver.
/// </summary>
internal interface IGpuCompute : IDisposable
{
    IReadOnlyList<ComputeDevice> Devices { get; }

    /// <summary>All of a context's calls come from the thread that opened it: CUDA's current context is the thread's.</summary>
    IGpuContext Open(ComputeDevice device);
}

/// <param name="Uuid">As NVML writes it: <c>GPU-…</c>.</param>
/// <param name="Capability">Ten times the major number and the minor one: 90 is 9.0.</param>
internal sealed record ComputeDevice(int Ordinal, string Uuid, string Name, int Multiprocessors, int Capability);

/// <summary>One card at work.</summary>
internal interface IGpuContext : IDisposable
{
    /// <summary>In bytes, at this moment.</summary>
    (long Free, long Total) Memory { get; }

    /// <summary>Memory of the card; null: there is not so much of it.</summary>
    ulong? Allocate(long bytes);

    /// <summary>Memory of the machine that stays where it is, so that the card fetches it by itself; null: there is not so much of it.</summary>
    ulong? AllocatePinned(long bytes);

    /// <summary>Either kind.</summary>
    void Free(ulong address);

    /// <summary>Kernels as PTX; the driver compiles them for the card.</summary>
    void Load(string ptx);

    /// <summary>Begins a kernel; all its parameters are 64 bits wide.</summary>
    void Launch(string kernel, int blocks, int threads, params ReadOnlySpan<ulong> arguments);

    /// <summary>Begins a copy between addresses of whichever kind.</summary>
    void Copy(ulong to, ulong from, long bytes);

    void Write(ulong to, ReadOnlySpan<byte> bytes);

    void Read(ulong from, Span<byte> bytes);

    /// <summary>How long the card takes for all that <paramref name="work"/> begins, by its own clock; returns when it is done.</summary>
    TimeSpan Measure(Action work);
}

/// <summary>A card refused or failed; the message is the driver's.</summary>
internal sealed class GpuComputeException(string message) : Exception(message);
