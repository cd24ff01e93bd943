using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace Stoker.Tests.Platform.Gpus;

/// <summary>A management library with two cards, compiled from <c>nvml.c</c> for one test: the path to a driver is the real one, and what happens is the test's to say.</summary>
internal sealed class StandInLibrary : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-nvml-").FullName;
    private readonly nint _handle;

    public StandInLibrary(params string[] options)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "gcc is not installed");
        Path = System.IO.Path.Combine(_directory, "libnvidia-ml.so.1");
        var source = System.IO.Path.Combine(Architecture.Repository.Root, "tests", "Stoker.Tests", "Platform", "Gpus", "nvml.c");
        using var compile = Process.Start("/usr/bin/gcc", ["-shared", "-fPIC", "-w", .. options, "-o", Path, source]);
        compile.WaitForExit();
        Assert.Equal(0, compile.ExitCode);
        _handle = NativeLibrary.Load(Path);
    }

    public string Path { get; }

    public unsafe void Raise(int gpu, int xid) => ((delegate* unmanaged<uint, ulong, void>)Call("standin_xid"))((uint)gpu, (ulong)xid);

    public unsafe void Lose(int gpu) => ((delegate* unmanaged<uint, void>)Call("standin_lose"))((uint)gpu);

    public unsafe void Begin(int gpu, int pid, long memory) => ((delegate* unmanaged<uint, uint, ulong, void>)Call("standin_process"))((uint)gpu, (uint)pid, (ulong)memory);

    public unsafe void Begin(int gpu, int pid, long memory, int instance) =>
        ((delegate* unmanaged<uint, uint, ulong, uint, void>)Call("standin_process_in"))((uint)gpu, (uint)pid, (ulong)memory, (uint)instance);

    public unsafe void EndAll(int gpu) => ((delegate* unmanaged<uint, void>)Call("standin_end"))((uint)gpu);

    /// <summary>Of the monitors: how many were asked for and not given back.</summary>
    public unsafe int Samples => ((delegate* unmanaged<int>)Call("standin_samples"))();

    public unsafe void Hang(bool on) => ((delegate* unmanaged<int, void>)Call("standin_hang"))(on ? 1 : 0);

    public void Dispose()
    {
        Hang(false);
        Directory.Delete(_directory, recursive: true);
    }

    private nint Call(string name) => NativeLibrary.GetExport(_handle, name);
}
