using Stoker.Estates;
using Stoker.Probes;
using Xunit;

namespace Stoker.Tests.Probes;

public sealed class GpuProbeTests
{
    private const string Gpu = "GPU 0 (NVIDIA GeForce RTX 4090)";

    private static readonly GpuUse Well = new(Gpu) { Processes = 1, Memory = 3L << 30, Percent = 40 };

    [Fact]
    public async Task Memory_and_work_on_the_GPU_it_was_given_are_health()
    {
        var outcome = await AskAsync(new ProbeSpec.Gpu(new ByteSize(2L << 30), true, null), Well);
        Assert.True(outcome.IsHealthy);
        Assert.Equal("3 GiB on GPU 0 (NVIDIA GeForce RTX 4090), 40 % of its time", outcome.Detail);
    }

    [Fact]
    public async Task A_service_that_fell_back_to_the_processor_is_found() =>
        Assert.Equal($"no process of it is on {Gpu}: it has lost its GPU, or computes on the processor", await ProblemAsync(new(null, false, null), Well with { Processes = 0, Memory = 0 }));

    [Fact]
    public async Task A_service_on_anothers_GPU_is_found() =>
        Assert.Equal($"no process of it is on {Gpu}, but on GPU 1 (A100), which it was not given", await ProblemAsync(new(null, false, null), Well with { Processes = 0, Elsewhere = ["GPU 1 (A100)"] }));

    [Fact]
    public async Task Too_little_memory_is_a_model_that_is_not_loaded() =>
        Assert.Equal($"its processes hold 3 GiB on {Gpu}, and more than 4 GiB is expected", await ProblemAsync(new(new ByteSize(4L << 30), false, null), Well));

    [Fact]
    public async Task A_service_that_holds_memory_and_does_nothing_is_found_where_activity_is_asked()
    {
        Assert.Equal($"its processes hold memory on {Gpu} and do nothing there", await ProblemAsync(new(null, true, null), Well with { Percent = 0 }));
        Assert.True((await AskAsync(new(null, false, null), Well with { Percent = 0 })).IsHealthy);
    }

    [Fact]
    public async Task What_the_driver_does_not_tell_is_no_health()
    {
        Assert.Equal($"{Gpu}: GPU is lost (code 15)", await ProblemAsync(new(null, false, null), new GpuUse(Gpu) { Problem = "GPU is lost (code 15)" }));
        Assert.Equal($"the driver does not tell how much of {Gpu} its processes hold", await ProblemAsync(new(new ByteSize(1), false, null), Well with { Memory = null }));
        Assert.Equal($"the driver does not tell whether its processes work on {Gpu}", await ProblemAsync(new(null, true, null), Well with { Percent = null }));
    }

    [Fact]
    public async Task A_driver_that_does_not_answer_ends_the_probe_at_its_time()
    {
        var never = new TaskCompletionSource<GpuUse>();
        var target = ProbeTarget.Here with { GpuUse = cancel => new ValueTask<GpuUse>(never.Task.WaitAsync(cancel)) };
        Assert.IsType<ProbeOutcome.TimedOut>(await new GpuProbe(new(null, false, null), target, TimeSpan.FromMilliseconds(100), TimeProvider.System).AskAsync(CancellationToken.None));
    }

    private static async Task<string> ProblemAsync(ProbeSpec.Gpu spec, GpuUse use) => Assert.IsType<ProbeOutcome.Unhealthy>(await AskAsync(spec, use)).Detail;

    private static async Task<ProbeOutcome> AskAsync(ProbeSpec.Gpu spec, GpuUse use) =>
        await new GpuProbe(spec, ProbeTarget.Here with { GpuUse = _ => new ValueTask<GpuUse>(use) }, TimeSpan.FromSeconds(5), TimeProvider.System).AskAsync(CancellationToken.None);
}
