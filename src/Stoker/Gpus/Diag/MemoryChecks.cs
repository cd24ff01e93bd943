using System.Globalization;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>The second level: a card's memory and its copies, measured and set beside what the card is known to do. A card that fails at it ends with that, and takes no other along.</summary>
internal static class MemoryChecks
{
    private const string Why = "what is computed from wrong memory is wrong, and nobody notices", Slow = "programs wait for it in proportion";

    /// <param name="device">As NVML tells of it.</param>
    /// <param name="open">A context of its own.</param>
    public static IReadOnlyList<DiagFinding> Make(GpuDevice device, Func<IGpuContext> open, CancellationToken stop)
    {
        var findings = new List<DiagFinding>();
        try
        {
            using var context = open();
            context.Load(KernelTexts.Memory);
            findings.Add(Judge(MemoryTest.Run(context, stop)));
            var measured = Bandwidth.Measure(context, stop);
            var link = device is { PcieGeneration: { } generation, PcieWidth: { } width } ? CardCapability.LinkSpeed(generation, width) : null;
            findings.Add(Judge("copy_within", measured.Within, CardCapability.Of(device.Name, device.Memory)?.Memory, Share.Memory, "see clocks of the memory, and whether anybody else is on the card"));
            findings.Add(Judge("copy_to_card", measured.ToCard, link, Share.Pcie, "see the link's width and generation while it works, and the machine's memory"));
            findings.Add(Judge("copy_from_card", measured.FromCard, link, Share.Pcie, "see the link's width and generation while it works, and the machine's memory"));
        }
        catch (GpuComputeException wrong)
        {
            findings.Add(DiagFinding.Fail("work", "the card does what it is asked", wrong.Message, "a card that fails at simple work fails its programs", "`dmesg` says what the driver saw; reset the card"));
        }

        return findings;
    }

    private static DiagFinding Judge(MemoryOutcome memory)
    {
        const string check = "memory_test", expected = "every word as it was written";
        var tested = Text($"{memory.Tested >> 20} of {memory.Total >> 20} MiB");
        if (memory.Tested == 0) return DiagFinding.Unknown(check, expected, "no memory of the card is free to be tested", "stop who is on it");
        if (memory.Wrong == 0) return DiagFinding.Pass(check, expected, $"{tested}, seven patterns");
        var first = memory.Faults[0];
        return DiagFinding.Fail(check, expected, Text($"{memory.Wrong} words were wrong in {tested}; the first at 0x{first.Address:x}: bit {string.Join(", ", first.Bits)} of 0x{first.Wanted:x16}"), Why, "have the card replaced; before that, see whether it is overclocked");
    }

    private static DiagFinding Judge(string check, double measured, double? known, Share share, string mend)
    {
        var found = measured < 10 ? Text($"{measured:0.#} GB/s") : Text($"{measured:0} GB/s");
        if (known is not { } most) return DiagFinding.Unknown(check, "the card's known figure", $"{found}; what this card can do is not known here");
        var (expected, beside) = (Text($"{share.Pass * 100:0} % of {most:0.#} GB/s"), Text($"{found}, {measured / most * 100:0} %"));
        return share.Of(measured, most) switch
        {
            DiagVerdict.Pass => DiagFinding.Pass(check, expected, beside),
            DiagVerdict.Warn => DiagFinding.Warn(check, expected, beside, Slow, mend),
            _ => DiagFinding.Fail(check, expected, beside, Slow, mend),
        };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
