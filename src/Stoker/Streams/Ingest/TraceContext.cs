using System.Buffers;

namespace Stoker.Streams.Ingest;

/// <summary>W3C trace context: <c>00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01</c>. What is none is passed over, as that specification says.</summary>
internal static class TraceContext
{
    private static readonly SearchValues<byte> Hex = SearchValues.Create("0123456789abcdef"u8);

    /// <summary>The text itself, or nothing.</summary>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> text)
    {
        if (text.Length < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return default;
        if (!IsHex(text[..2]) || text[..2].SequenceEqual("ff"u8) || !IsHex(text.Slice(3, 32)) || !IsHex(text.Slice(36, 16)) || !IsHex(text.Slice(53, 2))) return default;
        if (!text.Slice(3, 32).ContainsAnyExcept((byte)'0') || !text.Slice(36, 16).ContainsAnyExcept((byte)'0')) return default;

        // Only later versions have more behind it.
        return text.Length == 55 || (text.Length <= 512 && text[55] == '-' && !text.StartsWith("00"u8)) ? text : default;
    }

    private static bool IsHex(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(Hex);
}
