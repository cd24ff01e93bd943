using System.Globalization;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>Memory, link, clocks, power and heat of a card, as it is at this moment. Pure. Limits that no maker gives are ours, and say so where they stand.</summary>
internal static class CardHealth
{
    /// <summary>NVIDIA replaces a board with so many retired pages (its "Dynamic Page Retirement" page).</summary>
    private const int MostRetired = 60;

    /// <summary>Ours: a few replays come with every training of the link.</summary>
    private const int ManyReplays = 100;

    /// <summary>Ours: so near to where it slows down, a longer load makes it.</summary>
    private const int NearSlowdown = 5;

    /// <summary>Ours: a card that computes more than this has no reason for a slow link.</summary>
    private const int BusyPercent = 20;

    private const long SlowedByHardware = ThrottleReasons.HwSlowdown | ThrottleReasons.HwThermal | ThrottleReasons.PowerBrake;

    public static IEnumerable<DiagFinding> Make(GpuDevice device, GpuReading now) =>
    [
        EccMode(device), EccErrors(device, now), Rows(now), Pages(now), LinkWidth(device, now), LinkGeneration(device, now), Replays(now), Throttling(now),
        Power(device, now), Temperature(device, now),
    ];

    private static DiagFinding EccMode(GpuDevice device)
    {
        const string check = "ecc_mode", settled = "as it will be after a reset";
        if (device.Ecc is not { } on || device.EccPending is not { } pending) return DiagFinding.Unknown(check, settled, CardChecks.Silence(device, "ecc"));
        if (on != pending)
        {
            var found = $"{CardChecks.OnOff(on)} now, {CardChecks.OnOff(pending)} after a reset";
            return DiagFinding.Warn(check, settled, found, "the next reset changes memory and speed",
                "reset the card when it is convenient, or set the mode back: `nvidia-smi -e`");
        }

        // A card that can be divided is a data centre's, and comes with it on; the others that have it come with it off.
        return on || device.Mig is null
            ? DiagFinding.Pass(check, device.Mig is null ? "as set" : "on", CardChecks.OnOff(on))
            : DiagFinding.Warn(check, "on", "off", "errors of memory are neither mended nor found", "`nvidia-smi -e 1`, then reset the card");
    }

    private static DiagFinding EccErrors(GpuDevice device, GpuReading now)
    {
        const string check = "ecc_errors", expected = "none that ECC could not mend", rest = "programs that held that memory had wrong data";
        if (now.EccUncorrected is not { } wrong)
        {
            var silence = device.Ecc == false ? "ECC is off, so errors of memory are not seen" : CardChecks.Silence(now, "ecc_uncorrected");
            return DiagFinding.Unknown(check, expected, silence);
        }

        var mended = now.EccCorrected is > 0 and var count ? Text($"; {count} mended") : "";
        if (wrong > 0)
        {
            return DiagFinding.Fail(check, expected, Text($"{wrong} since the driver was loaded{mended}"), rest,
                "reset the card, which maps the bad rows away; if they come again, have it replaced");
        }

        return now.EccUncorrectedEver is > 0 and var ever
            ? DiagFinding.Warn(check, expected, Text($"{ever} in the card's life, none since the driver was loaded{mended}"), rest, "watch whether it becomes more")
            : DiagFinding.Pass(check, expected, $"none{mended}");
    }

    private static DiagFinding Rows(GpuReading now)
    {
        const string check = "remapped_rows", expected = "none";
        if (now.RemapFailed is not { } failed || now.RemapPending is not { } pending) return DiagFinding.Unknown(check, expected, CardChecks.Silence(now, "remapped_rows"));
        var rows = Text($"{now.RemappedUncorrectable ?? 0} for errors that ECC could not mend, {now.RemappedCorrectable ?? 0} for others");
        if (failed) return DiagFinding.Fail(check, expected, $"remapping failed; {rows}", "a row of memory is bad and no spare is left for it", "have the card replaced");
        if (pending) return DiagFinding.Fail(check, expected, $"one waits for a reset; {rows}", "memory that is known to be bad is in use until then", "stop its programs and reset the card");
        return now.RemappedUncorrectable > 0
            ? DiagFinding.Warn(check, expected, rows, "spares are limited, and rows that fail are often followed by more", "watch whether it becomes more")
            : DiagFinding.Pass(check, expected, rows);
    }

    private static DiagFinding Pages(GpuReading now)
    {
        const string check = "retired_pages", expected = "none", why = "NVIDIA replaces a board at 60";
        if (now.RetiredBySingleBit is null && now.RetiredByDoubleBit is null) return DiagFinding.Unknown(check, expected, CardChecks.Silence(now, "retired_by_double_bit"));
        var count = (now.RetiredBySingleBit ?? 0) + (now.RetiredByDoubleBit ?? 0);
        if (count >= MostRetired) return DiagFinding.Fail(check, expected, Text($"{count}"), why, "have the card replaced");
        return count > 0 ? DiagFinding.Warn(check, expected, Text($"{count}"), why, "watch whether it becomes more") : DiagFinding.Pass(check, expected, "none");
    }

    private static DiagFinding LinkWidth(GpuDevice device, GpuReading now)
    {
        const string check = "pcie_width";
        if (device.PcieWidth is not { } most || now.PcieWidth is not { } width)
        {
            return DiagFinding.Unknown(check, "the widest that card and slot can", CardChecks.Silence(device, "pcie_width"));
        }

        return width >= most
            ? DiagFinding.Pass(check, $"x{most}", $"x{width}")
            : DiagFinding.Warn(check, $"x{most}", $"x{width}", $"transfers have {width} of {most} lanes",
                "seat the card anew, clean its contacts, see the riser, and whether the board shares the slot's lanes");
    }

    private static DiagFinding LinkGeneration(GpuDevice device, GpuReading now)
    {
        const string check = "pcie_generation";
        if (device.PcieGeneration is not { } most || now.PcieGeneration is not { } generation)
        {
            return DiagFinding.Unknown(check, "the fastest that card and slot can", CardChecks.Silence(device, "pcie_generation"));
        }

        if (generation >= most) return DiagFinding.Pass(check, $"{most}", $"{generation}");
        return now.GpuPercent is > BusyPercent
            ? DiagFinding.Warn(check, $"{most}", $"{generation} while it works", "transfers are slower than they could be", "see the riser, and the link's speed in the firmware's settings")
            : DiagFinding.Pass(check, $"{most} when it works", $"{generation}, as idle cards lower it; at work it may be faster");
    }

    private static DiagFinding Replays(GpuReading now)
    {
        var (check, expected) = ("pcie_replays", Text($"under {ManyReplays}"));
        if (now.PcieReplays is not { } count) return DiagFinding.Unknown(check, expected, CardChecks.Silence(now, "pcie_replays"));
        return count < ManyReplays
            ? DiagFinding.Pass(check, expected, Text($"{count}"))
            : DiagFinding.Warn(check, expected, Text($"{count}"), "packets arrived damaged and were sent again: contacts, riser or slot", "seat the card anew, or run the link one generation slower");
    }

    private static DiagFinding Throttling(GpuReading now)
    {
        const string check = "throttling", expected = "clocks are free";
        if (now.Throttle is not { } reasons) return DiagFinding.Unknown(check, expected, CardChecks.Silence(now, "throttle"));
        var words = string.Join(", ", ThrottleReasons.Of(reasons));
        if ((reasons & SlowedByHardware) != 0)
        {
            return DiagFinding.Fail(check, expected, words, "the card itself slows down, to half or less: too hot, or too little power",
                "see its power connectors and its cooling");
        }

        if (words.Length == 0) return DiagFinding.Pass(check, expected, (reasons & ThrottleReasons.Idle) != 0 ? "idle" : "free");
        var mend = (reasons & ThrottleReasons.SwThermal) != 0 ? "see its cooling"
            : (reasons & ThrottleReasons.AppClocks) != 0 ? "clocks were set: `nvidia-smi -rgc` sets them free"
            : "nothing under full load; else see `nvidia-smi -q -d PERFORMANCE`";
        return DiagFinding.Warn(check, expected, words, "clocks are held below their highest", mend);
    }

    private static DiagFinding Power(GpuDevice device, GpuReading now)
    {
        const string check = "power_limit";
        if (device.PowerDefault is not { } usual || now.PowerLimit is not { } limit)
        {
            var silence = now.PowerLimit is null ? CardChecks.Silence(now, "power_limit") : CardChecks.Silence(device, "power_default");
            return DiagFinding.Unknown(check, "the card's own", silence);
        }

        var (expected, found) = (Text($"{usual:0.#} W"), Text($"{limit:0.#} W"));
        if (Math.Abs(limit - usual) < 1) return DiagFinding.Pass(check, expected, found);
        var mend = Text($"nothing, if that is meant; else `nvidia-smi -pl {usual:0}`");
        return limit < usual
            ? DiagFinding.Warn(check, expected, found, "the card is held to less than it was made for, and is slower under load", mend)
            : DiagFinding.Warn(check, expected, found, "the card may take more than it was made for: see that power and cooling are made for it", mend);
    }

    private static DiagFinding Temperature(GpuDevice device, GpuReading now)
    {
        const string check = "temperature";
        if (now.Celsius is not { } celsius) return DiagFinding.Unknown(check, "below where it slows down", CardChecks.Silence(now, "celsius"));
        if (device.SlowdownCelsius is not { } limit) return DiagFinding.Unknown(check, "below where it slows down", Text($"{celsius} °C; the card does not tell where it slows down"));
        var (expected, found) = (Text($"under {limit - NearSlowdown} °C"), Text($"{celsius} °C, slows down at {limit} °C"));
        const string mend = "see its fans, the dust in them, and the air in the case";
        if (celsius >= limit) return DiagFinding.Fail(check, expected, found, "it is too hot and slows itself down", mend);
        return celsius >= limit - NearSlowdown
            ? DiagFinding.Warn(check, expected, found, "a little more load or a warmer room makes it slow down", mend)
            : DiagFinding.Pass(check, expected, found);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
