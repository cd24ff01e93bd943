using System.Runtime.InteropServices;

namespace Stoker.Platform.Gpus;

/// <summary>CUDA's driver library as it was loaded: its functions by name, and its codes in words. It comes with the driver; CUDA's toolkit is not needed.</summary>
internal sealed unsafe class CudaLibrary
{
    public const string Name = "libcuda.so.1";

    public const int Success = 0, OutOfMemory = 2;

    private readonly nint _handle;
    private readonly Dictionary<string, nint> _calls = [];
    private readonly Lock _lock = new();

    private CudaLibrary(nint handle) => _handle = handle;

    /// <summary>Null when there is none. It is never unloaded: the driver's threads would run on in it.</summary>
    public static CudaLibrary? Load(string library) => NativeLibrary.TryLoad(library, out var handle) ? new CudaLibrary(handle) : null;

    public nint Find(string function)
    {
        lock (_lock)
        {
            if (_calls.TryGetValue(function, out var known)) return known;
            if (!NativeLibrary.TryGetExport(_handle, function, out var found)) throw new GpuComputeException($"`{Name}` is too old, or no CUDA: it has no `{function}`");
            return _calls[function] = found;
        }
    }

    public void Check(int code, string what)
    {
        if (code != Success) throw new GpuComputeException($"{what}: {Words(code)}");
    }

    /// <summary>As in <c>CUDA_ERROR_OUT_OF_MEMORY: out of memory (code 2)</c>.</summary>
    private string Words(int code)
    {
        byte* name = null, text = null;
        _ = ((delegate* unmanaged<int, byte**, int>)Find("cuGetErrorName"))(code, &name);
        _ = ((delegate* unmanaged<int, byte**, int>)Find("cuGetErrorString"))(code, &text);
        return name is null ? $"code {code}" : $"{Marshal.PtrToStringUTF8((nint)name)}: {Marshal.PtrToStringUTF8((nint)text)} (code {code})";
    }
}
