using System.Runtime.CompilerServices;
using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// The few places in which a request's body differs from what the client sent: the model's name where it was an alias, and the
/// options that make the engine tell its usage. Every other byte goes through as it came.
/// </summary>
internal struct BodyEdits
{
    /// <summary>Pieces longer than this are sent from where they lie; shorter ones are copied behind the head, into one packet.</summary>
    public const int Copied = 16 * 1024;

    private Edits _edits;
    private int _count;
    private int _growth;

    public readonly bool IsNone => _count == 0;

    /// <summary>Length of a body once edited.</summary>
    public readonly int LengthOf(ReadOnlyMemory<byte> body) => body.Length + _growth;

    /// <summary>Puts other bytes in the place of some.</summary>
    public void Replace(BodyRange range, ReadOnlyMemory<byte> bytes)
    {
        // Few enough that keeping them in order by insertion is the simplest.
        var at = _count++;
        for (; at > 0 && _edits[at - 1].Range.At > range.At; at--) _edits[at] = _edits[at - 1];
        _edits[at] = new Edit(range, bytes);
        _growth += bytes.Length - range.Length;
    }

    /// <summary>Asks the engine for its usage, in a stream that would not carry it.</summary>
    public void AskForUsage(in RequestScan scan, bool continuous)
    {
        if (scan.AsksForUsage && (!continuous || scan.AsksForContinuousUsage)) return;
        if (!scan.StreamOptions.IsThere)
        {
            Replace(new BodyRange(scan.Inside, 0), continuous ? OptionsMember.Continuous : OptionsMember.Plain);
            return;
        }

        if (scan.HasNoStreamOptions)
        {
            Replace(scan.StreamOptions, continuous ? OptionsWhole.Continuous : OptionsWhole.Plain);
            return;
        }

        // Other options may stand beside: only these two are touched.
        if (!scan.AsksForUsage) SetTrue(scan.StreamOptions, scan.UsageOption, UsageMember);
        if (continuous && !scan.AsksForContinuousUsage) SetTrue(scan.StreamOptions, scan.ContinuousOption, ContinuousMember);
    }

    private void SetTrue(BodyRange options, BodyRange value, ReadOnlyMemory<byte> member) =>
        Replace(value.IsThere ? value : new BodyRange(options.At + 1, 0), value.IsThere ? True : member);

    /// <summary>Sends the head and the edited body, in as few packets as their size allows.</summary>
    /// <param name="output">Begins with the head.</param>
    /// <returns>0, or a negated error number.</returns>
    public static ValueTask<int> SendAsync(IWire wire, OutputBuffer output, ReadOnlyMemory<byte> body, in BodyEdits edits, long deadline)
    {
        // Most are short: one packet, and no method in between that waits.
        if (body.Length > Copied) return SendPiecesAsync(wire, output, body, edits, deadline);
        var bytes = body.Span;
        var from = 0;
        foreach (ref readonly var edit in edits._edits[..edits._count])
        {
            output.Write(bytes[from..edit.Range.At]);
            output.Write(edit.Bytes.Span);
            from = edit.Range.End;
        }

        output.Write(bytes[from..]);
        return wire.SendAllAsync(output.Memory, deadline: deadline);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<int> SendPiecesAsync(IWire wire, OutputBuffer output, ReadOnlyMemory<byte> body, BodyEdits edits, long deadline)
    {
        var from = 0;
        for (var i = 0; i <= edits._count; i++)
        {
            var isLast = i == edits._count;
            var to = isLast ? body.Length : edits._edits[i].Range.At;
            var piece = body[from..to];
            if (piece.Length <= Copied)
            {
                output.Write(piece.Span);
            }
            else
            {
                if (await wire.SendAllAsync(output.Memory, piece, deadline, more: !isLast) is var sent and < 0) return sent;
                output.Clear();
            }

            if (isLast) break;
            output.Write(edits._edits[i].Bytes.Span);
            from = edits._edits[i].Range.End;
        }

        return output.Length == 0 ? 0 : await wire.SendAllAsync(output.Memory, deadline: deadline);
    }

    private static (ReadOnlyMemory<byte> Plain, ReadOnlyMemory<byte> Continuous) OptionsMember { get; } =
        ("\"stream_options\":{\"include_usage\":true},"u8.ToArray(), "\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true},"u8.ToArray());

    private static (ReadOnlyMemory<byte> Plain, ReadOnlyMemory<byte> Continuous) OptionsWhole { get; } =
        ("{\"include_usage\":true}"u8.ToArray(), "{\"include_usage\":true,\"continuous_usage_stats\":true}"u8.ToArray());

    private static ReadOnlyMemory<byte> UsageMember { get; } = "\"include_usage\":true,"u8.ToArray();

    private static ReadOnlyMemory<byte> ContinuousMember { get; } = "\"continuous_usage_stats\":true,"u8.ToArray();

    private static ReadOnlyMemory<byte> True { get; } = "true"u8.ToArray();

    private readonly record struct Edit(BodyRange Range, ReadOnlyMemory<byte> Bytes);

    [InlineArray(3)]
    private struct Edits
    {
        private Edit _first;
    }
}
