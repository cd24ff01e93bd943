using System.Diagnostics;
using System.Runtime.InteropServices;
using Stoker.Tests.Architecture;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

/// <summary>The library of <c>fake_cuda.c</c>, made by gcc once; with it CUDA's driver interface is called as on a machine with a card, and the kernels' own source runs.</summary>
internal static unsafe class FakeCuda
{
    private static readonly Lazy<string> Made = new(Make);

    /// <summary>Path of the library; a test that asks is skipped where there is no compiler.</summary>
    public static string Library
    {
        get
        {
            Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "gcc is not installed, which compiles the driver that stands in for CUDA's");
            return Made.Value;
        }
    }

    public static string Kernels => Repository.PathOf("src/Stoker/Gpus/Diag/Kernels");

    public static void Set(long bytes, bool isLost)
    {
        var set = (delegate* unmanaged<nuint, int, void>)NativeLibrary.GetExport(NativeLibrary.Load(Library), "fake_set");
        set((nuint)bytes, isLost ? 1 : 0);
    }

    /// <summary>Runs a compiler; its complaints are the test's.</summary>
    public static void Compile(string compiler, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(compiler, arguments) { RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{compiler}: {said}");
    }

    private static string Make()
    {
        var library = Path.Combine(Path.GetTempPath(), $"stoker-fake-cuda-{Environment.ProcessId}.so");
        Compile("/usr/bin/gcc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-DON_HOST", "-I", Kernels, "-x", "c", Repository.PathOf("tests/Stoker.Tests/Gpus/Diag/fake_cuda.c"), "-o", library, "-lm");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(library);
        return library;
    }
}
