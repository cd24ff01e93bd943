using System.Globalization;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>The second level: a card's memory and its copies, measured and set beside what the card is known to do.</summary>
internal static class MemoryChecks
{
    public const string Memory = "memory_test", Within = "copy_within", To = "copy_to_card", From = "copy_from_card";

    private const string Why = "what is computed from wrong memory is wrong, and nobody notices", Slow = "programs wait for it in proportion";
    private const string Link = "see the link's width and generation while it works, and the machine's memory";

    /// <summary>What each expects, for those that are not made.</summary>
    public static IReadOnlyList<(string Check, string Expected)> All { get; } =
        [(Memory, "every word as it was written"), (Within, "the card's known figure"), (To, "the speed of its link"), (From, "the speed of its link")];

    /// <param name="device">As NVML tells of it.</param>
    /// <param name="context">With <see cref="KernelTexts.Memory"/> in it.</param>
    /// <param name="link">Held by whoever copies from and to the machine.</param>
    /// <param name="stage">Told what is begun.</param>
    /// <param name="tell">Told each finding as it is known.</param>
    public static void Make(GpuDevice device, IGpuContext context, Lock link, Action<string> stage, Action<DiagFinding> tell, CancellationToken stop)
    {
        stage("memory");
        tell(Judge(MemoryTest.Run(context, stop)));
        stage("copies");
        var measured = Bandwidth.Measure(context, link, stop);
        var known = CardCapability.Of(device.Name, device.Memory);
        var fastest = device is { PcieGeneration: { } generation, PcieWidth: { } width } ? CardCapability.LinkSpeed(generation, width) : null;
        var source = $"PCIe {device.PcieGeneration} x{device.PcieWidth}";
        tell(Judge(Within, DiagFigure.Of(measured.Within, "GB/s", known?.Memory, known?.Source), Share.Memory, "see the clocks of the memory, and whether anybody else is on the card"));
        tell(Judge(To, DiagFigure.Of(measured.ToCard, "GB/s", fastest, source), Share.Pcie, Link));
        tell(Judge(From, DiagFigure.Of(measured.FromCard, "GB/s", fastest, source), Share.Pcie, Link));
    }

    /// <summary>A figure beside what the card is known to do; unknown where nothing is known.</summary>
    public static DiagFinding Judge(string check, DiagFigure figure, Share share, string mend)
    {
        var found = figure.Measured < 10 ? Text($"{figure.Measured:0.#} {figure.Unit}") : Text($"{figure.Measured:0} {figure.Unit}");
        if (figure.Known is not { } most) return DiagFinding.Unknown(check, "the card's known figure", $"{found}; what this card can do is not known here") with { Figure = figure };
        var (expected, beside) = (Text($"{share.Pass * 100:0} % of {most:0.#} {figure.Unit}"), Text($"{found}, {figure.Measured / most * 100:0} %"));
        return share.Of(figure.Measured, most) switch
        {
            DiagVerdict.Pass => DiagFinding.Pass(check, expected, beside) with { Figure = figure },
            DiagVerdict.Warn => DiagFinding.Warn(check, expected, beside, Slow, mend) with { Figure = figure },
            _ => DiagFinding.Fail(check, expected, beside, Slow, mend) with { Figure = figure },
        };
    }

    private static DiagFinding Judge(MemoryOutcome memory)
    {
        const string expected = "every word as it was written";
        var tested = Text($"{memory.Tested >> 20} of {memory.Total >> 20} MiB");
        if (memory.Tested == 0) return DiagFinding.NotDone(Memory, expected, "no memory of the card is free to be tested", "stop who is on it");
        if (memory.Wrong == 0) return DiagFinding.Pass(Memory, expected, $"{tested}, seven patterns");
        var first = memory.Faults[0];
        var fault = Text($"the first at 0x{first.Address:x}: bit {string.Join(", ", first.Bits)} of 0x{first.Wanted:x16}");
        return DiagFinding.Fail(Memory, expected, Text($"{memory.Wrong} words were wrong in {tested}; {fault}"), Why,
            "have the card replaced; before that, see whether it is overclocked");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
