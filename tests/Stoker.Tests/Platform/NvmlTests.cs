using System.Diagnostics;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

/// <summary>Against a library of the same functions, made for the test: what the machine has cannot be told to fail.</summary>
public sealed class NvmlTests : IDisposable
{
    private const string Source = """
        #include <string.h>
        typedef struct { unsigned long long total, free, used; } memory;
        typedef struct { unsigned gpu, memory; } use;
        static int begun;
        int nvmlInit_v2(void) { begun++; return INIT; }
        int nvmlShutdown(void) { begun--; return 0; }
        const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : code == 9 ? "Driver Not Loaded" : "Unknown Error"; }
        int nvmlSystemGetDriverVersion(char *text, unsigned size) { if (!begun) return 1; strncpy(text, "550.54.15", size); return 0; }
        int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12040; return 0; }
        int nvmlDeviceGetCount_v2(unsigned *count) { *count = 3; return 0; }
        int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { if (index == 1) return 15; *device = (void *)(long)(index + 1); return 0; }
        int nvmlDeviceGetName(void *device, char *text, unsigned size) { strncpy(text, device == (void *)1 ? "NVIDIA GeForce RTX 4090" : "NVIDIA H100", size); return 0; }
        int nvmlDeviceGetUUID(void *device, char *text, unsigned size) { strncpy(text, "GPU-1", size); return device == (void *)1 ? 0 : 3; }
        int nvmlDeviceGetMemoryInfo(void *device, memory *info) { if (device != (void *)1) return 999; info->total = 25757220864ull; info->free = 1; info->used = 456130560ull; return 0; }
        int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) { *major = 8; *minor = 9; return device == (void *)1 ? 0 : 3; }
        int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) { if (sensor) return 2; *celsius = 41; return 0; }
        #ifndef OLD
        int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { *milliwatts = 27500; return 0; }
        #endif
        int nvmlDeviceGetUtilizationRates(void *device, use *rates) { rates->gpu = 7; rates->memory = 1; return 0; }
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-nvml-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Every_card_is_told_as_far_as_it_answers()
    {
        var found = Assert.IsType<NvmlAnswer.Found>(Nvml.Read(Library("-DINIT=0")));
        Assert.Equal((3, "550.54.15", "12.4"), (found.Count, found.Driver, found.Cuda));
        Assert.Equal(
            [
                new NvmlCard(0) { Name = "NVIDIA GeForce RTX 4090", Uuid = "GPU-1", TotalMemory = 25757220864, UsedMemory = 456130560, ComputeCapability = "8.9", Celsius = 41, Watts = 27.5, Percent = 7 },
                new NvmlCard(2) { Name = "NVIDIA H100", Celsius = 41, Watts = 27.5, Percent = 7 },
            ], found.Cards);
        Assert.Equal(["GPU 1: GPU is lost (code 15)", "GPU 2: memory: Unknown Error (code 999)"], found.Problems);
    }

    [Fact]
    public void A_function_that_an_older_library_lacks_is_a_fact_that_is_not_known() =>
        Assert.All(Assert.IsType<NvmlAnswer.Found>(Nvml.Read(Library("-DINIT=0", "-DOLD"))).Cards, card => Assert.Null(card.Watts));

    [Fact]
    public void A_driver_that_is_not_loaded_is_told() =>
        Assert.Equal("NVML cannot begin: Driver Not Loaded (code 9)", Assert.IsType<NvmlAnswer.Failed>(Nvml.Read(Library("-DINIT=9"))).Words);

    [Fact]
    public void A_library_of_another_kind_is_told() => Assert.Contains("nvmlInit_v2", Assert.IsType<NvmlAnswer.Failed>(Nvml.Read("libc.so.6")).Words, StringComparison.Ordinal);

    [Fact]
    public void Without_a_driver_there_is_no_library() => Assert.IsType<NvmlAnswer.NotThere>(Nvml.Read(Path.Combine(_directory, "nothing.so")));

    private string Library(params string[] options)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "gcc is not installed");
        var (source, library) = (Path.Combine(_directory, "nvml.c"), Path.Combine(_directory, "libnvidia-ml.so.1"));
        File.WriteAllText(source, Source);
        using var compile = Process.Start("/usr/bin/gcc", ["-shared", "-fPIC", "-w", .. options, "-o", library, source]);
        compile.WaitForExit();
        Assert.Equal(0, compile.ExitCode);
        return library;
    }
}
