using Stoker.Hosts.Layers.Shipped;
using Xunit;

namespace Stoker.Tests.Hosts.Layers.Shipped;

public sealed class DriverMatrixTests
{
    private const string Ubuntu = "ubuntu 24.04", Kernel = "6.8.0-60-generic";

    [Theory]
    [InlineData("NVIDIA GeForce RTX 5090", "Blackwell")]
    [InlineData("GB202 [GeForce RTX 5090]", "Blackwell")]
    [InlineData("NVIDIA GeForce RTX 4090", "Ada")]
    [InlineData("NVIDIA RTX 6000 Ada Generation", "Ada")]
    [InlineData("NVIDIA GeForce RTX 3060", "Ampere")]
    [InlineData("NVIDIA A100-SXM4-80GB", "Ampere")]
    [InlineData("NVIDIA H200", "Hopper")]
    [InlineData("Tesla V100-SXM2-32GB", "Volta")]
    [InlineData("NVIDIA GeForce GTX 1080 Ti", "Pascal")]
    [InlineData("device 2b85", null)]
    public void A_card_s_generation_is_told_by_its_name(string card, string? generation) => Assert.Equal(generation, DriverMatrix.GenerationOf(card)?.ToString());

    [Fact]
    public void An_RTX_5090_gets_the_open_modules_and_nothing_older_than_570()
    {
        var choices = Choose(["NVIDIA GeForce RTX 5090", "NVIDIA GeForce RTX 5090"], Kernel);
        Assert.Equal([580, 595, 610, 590, 575, 570], choices.Fit.Select(c => c.Row.Branch));
        Assert.Equal("nvidia-open-580", choices.Fit[0].Package);
        Assert.Equal(["550: does not know Blackwell", "535: does not know Blackwell"], choices.Refused);
    }

    [Fact]
    public void A_card_that_newer_branches_have_given_up_gets_the_closed_modules_of_an_older_one()
    {
        var choices = Choose(["NVIDIA GeForce GTX 1080 Ti"], Kernel);
        Assert.Equal("cuda-drivers-580", choices.Fit[0].Package);
        Assert.Contains("595: has given up Pascal", choices.Refused);
    }

    [Fact]
    public void A_kernel_on_which_a_module_does_not_build_leaves_that_branch_out()
    {
        Assert.Contains(590, Choose(["NVIDIA GeForce RTX 4090"], "6.19.3").Fit.Select(c => c.Row.Branch));
        var choices = Choose(["NVIDIA GeForce RTX 4090"], "7.0.1-generic");
        Assert.DoesNotContain(590, choices.Fit.Select(c => c.Row.Branch));
        Assert.Contains("590: its module does not build on kernel 7.0 and later, and this is 7.0.1-generic", choices.Refused);
    }

    [Fact]
    public void What_no_driver_can_do_is_refused_with_its_reason()
    {
        Assert.Equal(["Blackwell is driven by the open modules alone and Pascal by the closed ones alone: no driver has both"], Choose(["NVIDIA GeForce RTX 5090", "NVIDIA GeForce GTX 1080"], Kernel).Refused);
        Assert.Equal(["the generation of `device 2b85` is not known"], Choose(["device 2b85"], Kernel).Refused);
        Assert.Equal(["no NVIDIA card is on the bus"], Choose([], Kernel).Refused);
        Assert.StartsWith("NVIDIA's packages are not known for arch rolling", DriverMatrix.Choose(new DriverFacts(["NVIDIA H100"], "arch rolling", Kernel), null).Refused[0], StringComparison.Ordinal);
        var asked = DriverMatrix.Choose(new DriverFacts(["NVIDIA GeForce RTX 5090"], Ubuntu, Kernel), 550);
        Assert.Empty(asked.Fit);
        Assert.Equal(["550: does not know Blackwell"], asked.Refused);
        Assert.Equal(["999: not in the matrix, which has 535, 550, 570, 575, 580, 590, 595, 610"], DriverMatrix.Choose(new DriverFacts(["NVIDIA H100"], Ubuntu, Kernel), 999).Refused);
    }

    private static DriverChoices Choose(string[] cards, string kernel) => DriverMatrix.Choose(new DriverFacts(cards, Ubuntu, kernel), null);
}
