using Stoker.Daemon;
using Stoker.Gpus;
using Stoker.Platform.Gpus;
using Stoker.Probes;
using Xunit;

namespace Stoker.Tests.Daemon;

public sealed class GpuUsesTests
{
    private const long GiB = 1L << 30;

    [Fact]
    public void Own_processes_are_summed_and_those_of_others_and_of_other_replicas_do_not_count()
    {
        var use = Of(Card(0, Own(1, 2 * GiB, 30), Own(2, GiB, 12), Own(3, GiB, 50) with { Replica = 2 }, new(4, "x", "stranger") { Memory = GiB, GpuPercent = 8 }));
        Assert.Equal(("GPU 0 (H100)", 2, (long?)(3 * GiB), (int?)42), (use.Gpus, use.Processes, use.Memory, use.Percent));
        Assert.Empty(use.Elsewhere);
    }

    [Fact]
    public void A_process_on_another_card_is_told_and_one_whose_memory_is_not_known_makes_it_unknown()
    {
        var given = Card(0, Own(1, null, 0));
        var use = GpuUses.Of(Document(given, Card(1, Own(2, GiB, 5))), [given], "llm", 1);
        Assert.Null(use.Memory);
        Assert.Equal(["GPU 1 (H100)"], use.Elsewhere);
    }

    [Theory]
    [InlineData(0.372, 38)]
    [InlineData(0.0004, 1)]
    [InlineData(0.0, 0)]
    public void What_a_partition_does_is_what_its_only_user_does_there(double engine, int percent) => Assert.Equal(percent, Of(Partitioned(engine, Own(1, GiB, null) with { Instance = 2 })).Percent);

    [Fact]
    public void Work_in_a_partition_that_another_one_is_in_or_that_has_no_monitors_is_not_told()
    {
        Assert.Null(Of(Partitioned(0.5, Own(1, GiB, null) with { Instance = 2 }, new(9, "x", "stranger") { Instance = 2 })).Percent);
        Assert.Null(Of(Partitioned(null, Own(1, GiB, null) with { Instance = 2 })).Percent);
        // Who is in another partition does not matter.
        Assert.Equal(50, Of(Partitioned(0.5, Own(1, GiB, null) with { Instance = 2 }, new(9, "x", "stranger") { Instance = 3 })).Percent);
    }

    [Fact]
    public void What_a_whole_card_does_is_what_its_only_user_does_where_the_driver_does_not_tell_processes_apart()
    {
        Assert.Equal(87, Of(Card(0, Own(1, GiB, null)) with { Now = new GpuReading(0) { GpuPercent = 87 } }).Percent);
        Assert.Equal(61, Of(Card(0, Own(1, GiB, null)) with { Now = new GpuReading(0) { GpuPercent = 87, Activity = new GpuActivity { Engine = 0.61 } } }).Percent);
        Assert.Null(Of(Card(0, Own(1, GiB, null), new(9, "x", "stranger")) with { Now = new GpuReading(0) { GpuPercent = 87 } }).Percent);
    }

    [Fact]
    public void Of_several_cards_work_on_one_is_work_and_silence_of_one_is_not_idleness()
    {
        var (busy, idle, silent) = (Card(0, Own(1, GiB, 20)), Card(1, Own(2, GiB, 0)), Card(2, Own(3, GiB, null), new(9, "x", "stranger")));
        Assert.Equal(20, GpuUses.Of(Document(busy, silent), [busy, silent], "llm", 1).Percent);
        Assert.Null(GpuUses.Of(Document(idle, silent), [idle, silent], "llm", 1).Percent);
        Assert.Equal(0, GpuUses.Of(Document(idle), [idle], "llm", 1).Percent);
    }

    [Fact]
    public void A_card_that_does_not_answer_and_a_card_that_is_not_there_are_told()
    {
        Assert.Equal("GPU is lost (code 15)", Of(Card(0) with { Now = new GpuReading(0) { Lost = "GPU is lost (code 15)" }, Silent = "GPU is lost (code 15)" }).Problem);
        Assert.Equal(("the GPU it was given", "it was given no GPU that is here"), (GpuUses.Of(Document(), [], "llm", 1) is var none ? (none.Gpus, none.Problem) : default));
    }

    private static GpuUse Of(GpuDocument given) => GpuUses.Of(Document(given), [given], "llm", 1);

    private static GpusDocument Document(params GpuDocument[] gpus) => new("e", default, "580.65", "13.0", [], gpus);

    private static GpuDocument Card(int index, params GpuClientDocument[] clients) =>
        new(index, false, new GpuDevice(index) { Name = "H100", Uuid = $"GPU-{index}" }) { Now = new GpuReading(index), Clients = clients };

    private static GpuDocument Partitioned(double? engine, params GpuClientDocument[] clients) => Card(0, clients) with
    {
        Now = new GpuReading(0) { Instances = [new GpuInstanceReading(2, "1g.10gb") { Activity = engine is null ? null : new GpuActivity { Engine = engine } }, new GpuInstanceReading(3, "1g.10gb")] },
    };

    private static GpuClientDocument Own(int pid, long? memory, int? percent) => new(pid, "python3", "service") { Service = "llm", Replica = 1, Memory = memory, GpuPercent = percent };
}
