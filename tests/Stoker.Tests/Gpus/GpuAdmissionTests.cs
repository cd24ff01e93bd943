using Stoker.Gpus;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus;

/// <summary>Declared need against what is really free.</summary>
public sealed class GpuAdmissionTests
{
    private const long GiB = 1L << 30;

    private static readonly LedgerBudget Vision = new("vision", 6 * GiB, ["vision"]), Speech = new("speech", 4 * GiB, ["speech"]);

    [Fact]
    public void An_empty_card_has_room() => Assert.IsType<Admission.Room>(Ask(Card(0)));

    [Fact]
    public void What_a_stranger_has_is_not_free_and_the_stranger_is_named() => Assert.Equal(
        "6 GiB on GPU 0 (NVIDIA GeForce RTX 3060): 4 GiB are free; pid 812, train (stranger) has 8 GiB",
        Assert.IsType<Admission.Later>(Ask(Card(8 * GiB, new GpuClientDocument(812, "train", "stranger") { Memory = 8 * GiB }))).Why);

    [Fact]
    public void What_others_that_run_were_promised_and_have_not_taken_yet_is_not_free() => Assert.Equal(
        "6 GiB on GPU 0 (NVIDIA GeForce RTX 3060): 9 GiB are free, and 4 GiB of that are promised to others that run; pid 812, train (stranger) has 3 GiB",
        Assert.IsType<Admission.Later>(Ask(Card(3 * GiB, new GpuClientDocument(812, "train", "stranger") { Memory = 3 * GiB }), speechIsUp: true)).Why);

    [Fact]
    public void A_promise_to_one_that_does_not_run_takes_nothing() => Assert.IsType<Admission.Room>(Ask(Card(3 * GiB, new GpuClientDocument(812, "train", "stranger") { Memory = 3 * GiB })));

    [Fact]
    public void One_that_has_more_than_it_declared_is_named() => Assert.Equal(
        "6 GiB on GPU 0 (NVIDIA GeForce RTX 3060): 5 GiB are free; speech has 3 GiB more than it declared",
        Assert.IsType<Admission.Later>(Ask(Card(7 * GiB, new GpuClientDocument(9, "speech", "service") { Service = "speech", Memory = 7 * GiB }), speechIsUp: true)).Why);

    [Fact]
    public void What_can_never_fit_is_not_waited_for() => Assert.Equal(
        "it needs 40 GiB on GPU 0 (NVIDIA GeForce RTX 3060), which has 11.5 GiB",
        Assert.IsType<Admission.Never>(GpuAdmission.Decide(Card(0, reserved: GiB / 2), 12 * GiB, [], new LedgerBudget("llm", 40 * GiB, ["llm"]))).Why);

    [Fact]
    public void Those_who_fill_a_card_together_are_not_refused_for_what_its_driver_keeps() => Assert.IsType<Admission.Room>(
        GpuAdmission.Decide(Card(0, reserved: GiB / 2), 12 * GiB, [new(new("rest", 6 * GiB, ["rest"]), IsUp: true), new(Vision, IsUp: false)], Vision));

    [Fact]
    public void A_card_that_does_not_answer_is_waited_for() => Assert.Equal(
        "GPU 0 (NVIDIA GeForce RTX 3060), which does not answer: GPU is lost (code 15)",
        Assert.IsType<Admission.Later>(Ask(Card(0) with { Now = new GpuReading(0) { Lost = "GPU is lost (code 15)" }, Silent = "GPU is lost (code 15)" })).Why);

    private static Admission Ask(GpuDocument card, bool speechIsUp = false) => GpuAdmission.Decide(card, 12 * GiB, [new(Vision, IsUp: false), new(Speech, speechIsUp)], Vision);

    private static GpuDocument Card(long used, params GpuClientDocument[] clients) => Card(used, 0, clients);

    private static GpuDocument Card(long used, long reserved, params GpuClientDocument[] clients) =>
        new(0, false, new GpuDevice(0) { Name = "NVIDIA GeForce RTX 3060", Memory = 12 * GiB })
        {
            Now = new GpuReading(0) { UsedMemory = used, FreeMemory = (12 * GiB) - reserved - used, ReservedMemory = reserved },
            Clients = clients,
        };
}
