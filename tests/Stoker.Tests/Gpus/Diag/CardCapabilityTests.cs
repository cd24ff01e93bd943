using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

public sealed class CardCapabilityTests
{
    [Theory]
    [InlineData("NVIDIA GeForce RTX 5090", 32, 1792)]
    [InlineData("NVIDIA A100-SXM4-80GB", 80, 2039)]
    [InlineData("NVIDIA A100-SXM4-40GB", 40, 1555)]
    [InlineData("NVIDIA H100 80GB HBM3", 80, 3350)]
    [InlineData("Jetson AGX Orin", 61, 204.8)]
    public void A_card_is_known_by_its_name_and_memory(string name, int gibibytes, double bandwidth) =>
        Assert.Equal(bandwidth, CardCapability.Of(name, (long)gibibytes << 30)?.Memory);

    [Theory]
    [InlineData("NVIDIA GeForce RTX 5090 Laptop GPU")]
    [InlineData("NVIDIA GeForce RTX 4090 D")]
    [InlineData("NVIDIA GeForce RTX 3060 Ti")]
    [InlineData("NVIDIA H100 PCIe")]
    [InlineData("NVIDIA H200 NVL")]
    [InlineData("NVIDIA T4")]
    [InlineData(null)]
    public void Other_forms_of_a_card_and_unknown_cards_have_no_figures(string? name) => Assert.Null(CardCapability.Of(name, 80L << 30));

    [Fact]
    public void Every_simulated_card_has_figures_and_the_arithmetic_of_its_cores_and_clock_agrees_with_them()
    {
        foreach (var card in CardFigures.All)
        {
            var known = CardCapability.Of(card.Name, (long)card.Mebibytes << 20);
            Assert.NotNull(known);
            Assert.InRange(card.Cores * 2.0 * card.SmClock / 1e6, known.Fp32 * 0.99, known.Fp32 * 1.01);
            Assert.Equal((card.PcieGeneration, card.PcieWidth), (known.PcieGeneration, known.PcieWidth));
        }
    }

    [Theory]
    [InlineData(80, DiagVerdict.Pass)]
    [InlineData(79.9, DiagVerdict.Warn)]
    [InlineData(65, DiagVerdict.Warn)]
    [InlineData(64.9, DiagVerdict.Fail)]
    internal void A_share_passes_warns_or_fails(double measured, DiagVerdict verdict) => Assert.Equal(verdict, Share.Memory.Of(measured, 100));

    [Fact]
    public void A_link_of_half_the_width_never_passes_for_a_whole_one() =>
        Assert.NotEqual(DiagVerdict.Pass, Share.Pcie.Of(CardCapability.LinkSpeed(5, 8)!.Value, CardCapability.LinkSpeed(5, 16)!.Value));
}
