using System.Runtime.InteropServices;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Simulation;

/// <summary>A card that computes: what it copies and computes is real, on the processor; how long it takes is made up.</summary>
/// <param name="Memory">In bytes, which are the machine's.</param>
internal sealed record WorkingCard(string Uuid, string Name, long Memory)
{
    /// <summary>In GB/s, what is read and what is written together.</summary>
    public double CopySpeed { get; init; } = 1600;

    /// <summary>In GB/s, each way.</summary>
    public double LinkSpeed { get; init; } = 54;

    /// <summary>A bit of a word that is always set, counted from the beginning of the card's memory; null: none.</summary>
    public (long Word, int Bit)? StuckBit { get; init; }

    /// <summary>Addresses from here on lead to what is a MiB below them, as with a broken line; null: none.</summary>
    public long? AliasedFrom { get; init; }

    /// <summary>Compute capability 9.0 is 90.</summary>
    public int Capability { get; init; } = 90;

    /// <summary>Of its highest clock, at this moment; arithmetic follows it.</summary>
    public Func<double> Clock { get; init; } = () => 1;

    /// <summary>Called when it has something to do.</summary>
    public Action AtWork { get; init; } = () => { };

    /// <summary>Null: what takes a second is over at once. Else it takes a second.</summary>
    public TimeProvider? Pace { get; init; }

    /// <summary>In TFLOPS.</summary>
    public double Fp32Speed { get; init; } = 100;

    /// <summary>In TFLOPS.</summary>
    public double TensorSpeed { get; init; } = 200;

    /// <summary>From this kernel on the card runs at half its speed, as one does that is too hot; null: never.</summary>
    public int? SlowsAfter { get; init; }

    /// <summary>This kernel of arithmetic has one wrong bit in one thread; null: none.</summary>
    public int? SlipsAt { get; init; }

    /// <summary>It falls off the bus after so many kernels and copies; null: never.</summary>
    public int? VanishesAfter { get; init; }
}

/// <summary>Cards that are not there, at work.</summary>
internal sealed class SimulatedCompute(IReadOnlyList<WorkingCard> cards) : IGpuCompute
{
    public IReadOnlyList<ComputeDevice> Devices { get; } = [.. cards.Select((card, index) => new ComputeDevice(index, card.Uuid, card.Name, 16, card.Capability))];

    public IGpuContext Open(ComputeDevice device) => new SimulatedContext(cards[device.Ordinal]);

    public void Dispose()
    {
    }
}

/// <summary>What one simulated card does; the same arithmetic as Diag/Kernels/memory.cu, which a test compares.</summary>
internal sealed class SimulatedContext(WorkingCard card) : IGpuContext
{
    private const ulong First = 0x7000_0000_0000, FirstPinned = 0x1000_0000;

    /// <summary>Seconds: no timer waits much shorter.</summary>
    private const double LeastWait = 0.02;

    private readonly byte[] _memory = new byte[card.Memory];
    private readonly SortedList<ulong, long> _taken = [];
    private readonly Dictionary<ulong, byte[]> _pinned = [];
    private bool _isLoaded;
    private int _begun;
    private int _computed;
    private readonly Dictionary<(string Kernel, int Threads, int Rounds), uint[]> _results = [];
    private double _seconds;
    private double _ahead;

    public (long Free, long Total) Memory => (card.Memory - _taken.Values.Sum(), card.Memory);

    public ulong? Allocate(long bytes)
    {
        var at = First;
        foreach (var (start, size) in _taken)
        {
            if (start - at >= (ulong)bytes) break;
            at = start + (ulong)size;
        }

        if (at + (ulong)bytes > First + (ulong)card.Memory) return null;
        _taken[at] = bytes;
        return at;
    }

    public ulong? AllocatePinned(long bytes)
    {
        var at = FirstPinned + ((ulong)_pinned.Count << 32);
        _pinned[at] = new byte[bytes];
        return at;
    }

    public void Free(ulong address)
    {
        _taken.Remove(address);
        _pinned.Remove(address);
    }

    public void Load(string ptx)
    {
        if (!ptx.Contains(".entry", StringComparison.Ordinal)) throw new GpuComputeException("the driver does not compile the kernels (simulated)");
        _isLoaded = true;
    }

    public void Launch(string kernel, int blocks, int threads, params ReadOnlySpan<ulong> arguments)
    {
        Begin();
        if (!_isLoaded) throw new GpuComputeException($"no kernel `{kernel}` was loaded");
        switch (kernel)
        {
            case "fill":
                Fill(arguments[0], arguments[1], arguments[2], arguments[3]);
                break;
            case "check":
                Check(arguments);
                break;
            case "fma32" or "tensor_bf16" or "tensor_fp16":
                Compute(kernel, blocks, threads, arguments);
                break;
            default:
                throw new GpuComputeException($"no kernel `{kernel}` was loaded");
        }
    }

    public void Copy(ulong to, ulong from, long bytes)
    {
        Begin();
        Bytes(from, bytes).CopyTo(Bytes(to, bytes));
        _seconds += bytes / 1e9 * (to >= First && from >= First ? 2 / card.CopySpeed : 1 / card.LinkSpeed);
    }

    public void Write(ulong to, ReadOnlySpan<byte> bytes) => bytes.CopyTo(Bytes(to, bytes.Length));

    public void Read(ulong from, Span<byte> bytes) => Bytes(from, bytes.Length).CopyTo(bytes);

    public TimeSpan Measure(Action work)
    {
        _seconds = 0;
        card.AtWork();
        var begun = card.Pace?.GetTimestamp();
        work();
        if (card.Pace is { } pace)
        {
            _ahead += _seconds - pace.GetElapsedTime(begun!.Value).TotalSeconds;
            if (_ahead > LeastWait)
            {
                Task.Delay(TimeSpan.FromSeconds(_ahead), pace).Wait();
                _ahead = 0;
            }
        }

        return TimeSpan.FromSeconds(_seconds);
    }

    public void Dispose()
    {
    }

    /// <summary>What the kernel writes at a word.</summary>
    public static ulong Wanted(ulong kind, ulong pattern, ulong address, ulong index)
    {
        if (kind != 2) return kind == 1 ? address ^ pattern : pattern;
        var mixed = (index + pattern) * 0x9E37_79B9_7F4A_7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        return mixed ^ (mixed >> 31);
    }

    private void Begin()
    {
        if (card.VanishesAfter is { } most && _begun++ >= most) throw new GpuComputeException("CUDA_ERROR_DEVICE_UNAVAILABLE: the card has fallen off the bus (simulated)");
    }

    private void Fill(ulong at, ulong words, ulong kind, ulong pattern)
    {
        if (card.AliasedFrom is null)
        {
            var memory = MemoryMarshal.Cast<byte, ulong>(Bytes(at, (long)words * 8));
            for (var i = 0; i < memory.Length; i++) memory[i] = Wanted(kind, pattern, at + ((ulong)i * 8), (ulong)i);
            return;
        }

        for (var i = 0UL; i < words; i++) Set(at + (i * 8), Wanted(kind, pattern, at + (i * 8), i));
    }

    /// <summary>Most cards have nothing wrong, which is seen faster.</summary>
    private bool IsAsWritten(ulong at, ulong words, ulong kind, ulong pattern)
    {
        if (card.AliasedFrom is not null || card.StuckBit is not null) return false;
        var memory = MemoryMarshal.Cast<byte, ulong>(Bytes(at, (long)words * 8));
        for (var i = 0; i < memory.Length; i++)
        {
            if (memory[i] != Wanted(kind, pattern, at + ((ulong)i * 8), (ulong)i)) return false;
        }

        return true;
    }

    private void Check(ReadOnlySpan<ulong> arguments)
    {
        var (at, words, kind, pattern, found, most) = (arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
        if (IsAsWritten(at, words, kind, pattern)) return;
        for (var i = 0UL; i < words; i++)
        {
            var (want, have) = (Wanted(kind, pattern, at + (i * 8), i), Get(at + (i * 8)));
            if (want == have) continue;
            var number = Get(found);
            Set(found, number + 1);
            if (number >= most) continue;
            Set(found + 8 + (number * 24), at + (i * 8));
            Set(found + 16 + (number * 24), want);
            Set(found + 24 + (number * 24), have);
        }
    }

    /// <summary>One block is computed, and stands for all: they do the same.</summary>
    private void Compute(string kernel, int blocks, int threads, ReadOnlySpan<ulong> arguments)
    {
        var rounds = (int)arguments[1];
        // The same kernel computes the same again, which need not be done again.
        if (!_results.TryGetValue((kernel, threads, rounds), out var has))
            _results[(kernel, threads, rounds)] = has = kernel == "fma32" ? SimulatedArithmetic.Turn(threads, rounds) : SimulatedArithmetic.Multiply(rounds);
        if (_computed++ == card.SlipsAt)
        {
            has = [.. has];
            has[has.Length / 2] ^= 1;
        }

        var want = MemoryMarshal.Cast<byte, uint>(Bytes(arguments[0], has.Length * sizeof(uint)));
        var wrong = 0UL;
        if (!want.SequenceEqual(has))
        {
            for (var i = 0; i < has.Length; i++) wrong += has[i] == want[i] ? 0UL : 1UL;
        }

        Set(arguments[2], Get(arguments[2]) + wrong);
        var speed = (kernel == "fma32" ? card.Fp32Speed : card.TensorSpeed) * (_computed > card.SlowsAfter ? 0.5 : 1) * card.Clock();
        _seconds += (kernel == "fma32" ? 32.0 * rounds * threads : 4096.0 * 8 * ((2.0 * rounds) + 1) * (threads / 32)) * blocks / (speed * 1e12);
    }

    private ulong Get(ulong address)
    {
        var value = MemoryMarshal.Read<ulong>(Bytes(address, 8));
        return card.StuckBit is { } stuck && (address - First) / 8 == (ulong)stuck.Word ? value | (1UL << stuck.Bit) : value;
    }

    private void Set(ulong address, ulong value) => MemoryMarshal.Write(Bytes(address, 8), value);

    private Span<byte> Bytes(ulong address, long count)
    {
        if (address < First)
        {
            foreach (var (start, bytes) in _pinned)
            {
                if (address >= start && address + (ulong)count <= start + (ulong)bytes.Length) return bytes.AsSpan((int)(address - start), (int)count);
            }

            throw new GpuComputeException("CUDA_ERROR_ILLEGAL_ADDRESS: not memory of anybody (simulated)");
        }

        var offset = (long)(address - First);
        if (card.AliasedFrom is { } from && offset >= from) offset -= 1 << 20;
        if (offset + count > card.Memory) throw new GpuComputeException("CUDA_ERROR_ILLEGAL_ADDRESS: not memory of the card (simulated)");
        return _memory.AsSpan((int)offset, (int)count);
    }
}
