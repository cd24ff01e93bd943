using System.Text;
using System.Text.Json;
using Stoker.Platform;
using Stoker.Streams.Extraction;
using Xunit;

namespace Stoker.Tests.Streams.Extraction;

public sealed class HardwareFactsTests
{
    private static readonly DeviceFacts Declared = new("NVIDIA GeForce RTX 5090") { Index = 0, Count = 1, TotalMemory = 34359738368 };

    private static readonly NvmlCard Card = new(0) { Name = "Tesla T4", Uuid = "GPU-7", TotalMemory = 15835660288, UsedMemory = 0, ComputeCapability = "7.5", Watts = 12.25 };

    [Fact]
    public void The_driver_s_facts_go_before_the_declared_and_what_is_not_known_is_left_out()
    {
        var facts = HardwareFacts.Of(new NvmlAnswer.Found(1, [Card], ["GPU 1: GPU is lost (code 15)"]) { Driver = "550.54", Cuda = "12.4" }, [Declared]);
        Assert.Equal(("nvml", "GPU 1: GPU is lost (code 15)"), (facts.Origin, Assert.Single(facts.Problems)));
        Assert.Equal(
            """{"device_name":"Tesla T4","device_index":0,"device_count":1,"uuid":"GPU-7","total_memory":15835660288,"allocated_memory":0,"compute_capability":"7.5","cuda_version":"12.4","driver_version":"550.54","power_w":12.25}""",
            Json(facts));
    }

    [Fact]
    public void Without_a_driver_the_declared_count_and_without_either_there_is_no_gpu()
    {
        Assert.Equal(("declared", """{"device_name":"NVIDIA GeForce RTX 5090","device_index":0,"device_count":1,"total_memory":34359738368}"""), Told(new NvmlAnswer.NotThere(), Declared));
        Assert.Equal("declared", HardwareFacts.Of(new NvmlAnswer.Failed("no driver"), [Declared]).Origin);
        Assert.Equal(("none", """{"device_name":"cpu","device_count":0}"""), Told(new NvmlAnswer.NotThere()));
        Assert.StartsWith("[{", Told(new NvmlAnswer.NotThere(), Declared, Declared with { Index = 1 }).Json, StringComparison.Ordinal);

        static (string Origin, string Json) Told(NvmlAnswer answer, params DeviceFacts[] declared) => HardwareFacts.Of(answer, declared) is var facts ? (facts.Origin, Json(facts)) : default;
    }

    private static string Json(HardwareFacts facts)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory)) facts.Write(json);
        return Encoding.UTF8.GetString(memory.ToArray());
    }
}
