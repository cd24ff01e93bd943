using System.Text;

namespace Stoker.Platform.Gpus;

/// <summary>A card's primary context, by CUDA's driver interface. What was begun is done in order, on the context's own stream.</summary>
internal sealed unsafe class CudaContext : IGpuContext
{
    private const int LogSize = 8 << 10, ErrorLog = 5, ErrorLogSize = 6;

    private readonly CudaLibrary _library;
    private readonly int _device;
    private readonly List<nint> _modules = [];
    private readonly Dictionary<string, nint> _kernels = [];
    private readonly Dictionary<ulong, bool> _allocated = [];
    private readonly nint _before;
    private readonly nint _after;

    public CudaContext(CudaLibrary library, int device)
    {
        (_library, _device) = (library, device);
        nint context = 0;
        library.Check(((delegate* unmanaged<nint*, int, int>)library.Find("cuDevicePrimaryCtxRetain"))(&context, device), "the card gives no context");
        library.Check(((delegate* unmanaged<nint, int>)library.Find("cuCtxSetCurrent"))(context), "the card's context cannot be used");
        (_before, _after) = (MakeEvent(), MakeEvent());
    }

    public (long Free, long Total) Memory
    {
        get
        {
            nuint free = 0, total = 0;
            _library.Check(((delegate* unmanaged<nuint*, nuint*, int>)_library.Find("cuMemGetInfo_v2"))(&free, &total), "memory");
            return ((long)free, (long)total);
        }
    }

    public ulong? Allocate(long bytes)
    {
        ulong address = 0;
        var code = ((delegate* unmanaged<ulong*, nuint, int>)_library.Find("cuMemAlloc_v2"))(&address, (nuint)bytes);
        if (code == CudaLibrary.OutOfMemory) return null;
        _library.Check(code, $"{bytes} bytes of the card's memory");
        _allocated[address] = false;
        return address;
    }

    public ulong? AllocatePinned(long bytes)
    {
        nint address = 0;
        var code = ((delegate* unmanaged<nint*, nuint, uint, int>)_library.Find("cuMemHostAlloc"))(&address, (nuint)bytes, 0);
        if (code == CudaLibrary.OutOfMemory) return null;
        _library.Check(code, $"{bytes} bytes of pinned memory");
        _allocated[(ulong)address] = true;
        return (ulong)address;
    }

    public void Free(ulong address)
    {
        if (!_allocated.Remove(address, out var isPinned)) return;
        var code = isPinned ? ((delegate* unmanaged<nint, int>)_library.Find("cuMemFreeHost"))((nint)address) : ((delegate* unmanaged<ulong, int>)_library.Find("cuMemFree_v2"))(address);
        _library.Check(code, "memory cannot be given back");
    }

    public void Load(string ptx)
    {
        nint module = 0;
        var log = stackalloc byte[LogSize];
        *log = 0;
        var options = stackalloc int[2] { ErrorLog, ErrorLogSize };
        var values = stackalloc nint[2] { (nint)log, LogSize };
        var text = Encoding.UTF8.GetBytes(ptx + '\0');
        int code;
        fixed (byte* at = text) code = ((delegate* unmanaged<nint*, byte*, uint, int*, nint*, int>)_library.Find("cuModuleLoadDataEx"))(&module, at, 2, options, values);
        var said = NvmlLibrary.TextOf(log, LogSize);
        _library.Check(code, $"the driver does not compile the kernels{(said is null ? "" : $" ({said.Trim()})")}");
        _modules.Add(module);
    }

    public void Launch(string kernel, int blocks, int threads, params ReadOnlySpan<ulong> arguments)
    {
        var pointers = stackalloc void*[arguments.Length];
        fixed (ulong* at = arguments)
        {
            for (var i = 0; i < arguments.Length; i++) pointers[i] = at + i;
            var call = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)_library.Find("cuLaunchKernel");
            _library.Check(call(Kernel(kernel), (uint)blocks, 1, 1, (uint)threads, 1, 1, 0, 0, pointers, null), $"kernel {kernel}");
        }
    }

    public void Copy(ulong to, ulong from, long bytes) =>
        _library.Check(((delegate* unmanaged<ulong, ulong, nuint, nint, int>)_library.Find("cuMemcpyAsync"))(to, from, (nuint)bytes, 0), "copy");

    public void Write(ulong to, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* at = bytes) _library.Check(((delegate* unmanaged<ulong, byte*, nuint, int>)_library.Find("cuMemcpyHtoD_v2"))(to, at, (nuint)bytes.Length), "copy to the card");
    }

    public void Read(ulong from, Span<byte> bytes)
    {
        fixed (byte* at = bytes) _library.Check(((delegate* unmanaged<byte*, ulong, nuint, int>)_library.Find("cuMemcpyDtoH_v2"))(at, from, (nuint)bytes.Length), "copy from the card");
    }

    public TimeSpan Measure(Action work)
    {
        var record = (delegate* unmanaged<nint, nint, int>)_library.Find("cuEventRecord");
        _library.Check(record(_before, 0), "event");
        work();
        _library.Check(record(_after, 0), "event");
        _library.Check(((delegate* unmanaged<nint, int>)_library.Find("cuEventSynchronize"))(_after), "the card at work");
        float milliseconds = 0;
        _library.Check(((delegate* unmanaged<float*, nint, nint, int>)_library.Find("cuEventElapsedTime"))(&milliseconds, _before, _after), "event");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    /// <summary>After a fault of the card each of these fails too, which changes nothing.</summary>
    public void Dispose()
    {
        foreach (var address in _allocated.Keys.ToList())
        {
            try
            {
                Free(address);
            }
            catch (GpuComputeException)
            {
                // The driver takes it back with the context.
            }
        }

        foreach (var module in _modules) _ = ((delegate* unmanaged<nint, int>)_library.Find("cuModuleUnload"))(module);
        foreach (var mark in (ReadOnlySpan<nint>)[_before, _after]) _ = ((delegate* unmanaged<nint, int>)_library.Find("cuEventDestroy_v2"))(mark);
        _ = ((delegate* unmanaged<int, int>)_library.Find("cuDevicePrimaryCtxRelease_v2"))(_device);
    }

    private nint MakeEvent()
    {
        nint made = 0;
        _library.Check(((delegate* unmanaged<nint*, uint, int>)_library.Find("cuEventCreate"))(&made, 0), "event");
        return made;
    }

    private nint Kernel(string name)
    {
        if (_kernels.TryGetValue(name, out var known)) return known;
        nint found = 0;
        var text = Encoding.UTF8.GetBytes(name + '\0');
        foreach (var module in _modules)
        {
            int code;
            fixed (byte* at = text) code = ((delegate* unmanaged<nint*, nint, byte*, int>)_library.Find("cuModuleGetFunction"))(&found, module, at);
            if (code == CudaLibrary.Success) return _kernels[name] = found;
        }

        throw new GpuComputeException($"no kernel `{name}` was loaded");
    }
}
