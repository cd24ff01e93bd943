using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform.Gpus;

/// <summary>NVIDIA's management library as it was loaded: its functions by name, and its codes in words.</summary>
internal sealed unsafe class NvmlLibrary : IDisposable
{
    public const int Success = 0, NotSupported = 3, NoPermission = 4, NotFound = 6, TooSmall = 7, TimedOut = 10, NoFunction = 13, Lost = 15,
        ResetRequired = 16, VersionMismatch = 18, InUse = 19, Mismatch = 25;

    private readonly nint _handle;
    private readonly Dictionary<string, nint> _calls = [];

    private NvmlLibrary(nint handle, string name) => (_handle, Name) = (handle, name);

    public string Name { get; }

    /// <summary>Null when there is none.</summary>
    /// <param name="library">Name or path.</param>
    public static NvmlLibrary? Load(string library) => NativeLibrary.TryLoad(library, out var handle) ? new NvmlLibrary(handle, library) : null;

    /// <summary>0 where the library has no such function.</summary>
    public nint Find(string function)
    {
        if (_calls.TryGetValue(function, out var call)) return call;
        return _calls[function] = NativeLibrary.TryGetExport(_handle, function, out var found) ? found : 0;
    }

    /// <summary>The first of these functions that the library has.</summary>
    public nint Find(string function, string older) => Find(function) is not 0 and var call ? call : Find(older);

    /// <summary>As in <c>GPU is lost (code 15)</c>.</summary>
    public string Words(int code)
    {
        if (code == NoFunction) return "the library has no such function";
        var call = Find("nvmlErrorString");
        var text = call == 0 ? null : ((delegate* unmanaged<int, byte*>)call)(code);
        return text is null ? $"code {code}" : $"{Marshal.PtrToStringUTF8((nint)text)} (code {code})";
    }

    public static string? TextOf(byte* text, int size)
    {
        var bytes = new ReadOnlySpan<byte>(text, size);
        var end = bytes.IndexOf((byte)0);
        if (end < 0) end = size;
        return end > 0 ? Encoding.UTF8.GetString(bytes[..end]) : null;
    }

    public void Dispose() => NativeLibrary.Free(_handle);
}
