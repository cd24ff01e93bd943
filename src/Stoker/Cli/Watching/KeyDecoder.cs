using System.Text;

namespace Stoker.Cli.Watching;

/// <summary>
/// What a terminal sends, as keys. One read holds whole keys, except over slow lines; an escape alone in a read is the Escape key.
/// </summary>
internal static class KeyDecoder
{
    private const byte Escape = 0x1B;

    public static IReadOnlyList<Key> Decode(ReadOnlySpan<byte> bytes)
    {
        var keys = new List<Key>();
        while (bytes.Length > 0)
        {
            bytes = bytes[Next(bytes, keys)..];
        }

        return keys;
    }

    private static int Next(ReadOnlySpan<byte> bytes, List<Key> keys)
    {
        switch (bytes[0])
        {
            case Escape when bytes.Length > 2 && bytes[1] is (byte)'[' or (byte)'O':
                return Sequence(bytes, keys);
            case Escape:
                keys.Add(new Key(KeyKind.Escape));
                return 1;
            case (byte)'\r' or (byte)'\n':
                keys.Add(new Key(KeyKind.Enter));
                return 1;
            case 0x7F or 0x08:
                keys.Add(new Key(KeyKind.Backspace));
                return 1;
            case 0x03:
                keys.Add(new Key(KeyKind.Interrupt));
                return 1;
            case < 0x20:
                return 1;
            default:
                if (Rune.DecodeFromUtf8(bytes, out var rune, out var length) == System.Buffers.OperationStatus.Done) keys.Add(new Key(KeyKind.Character, rune));
                return Math.Max(1, length);
        }
    }

    /// <summary>ESC [ or ESC O, parameters, and a final letter or tilde; one that means nothing here is passed over whole.</summary>
    private static int Sequence(ReadOnlySpan<byte> bytes, List<Key> keys)
    {
        var end = 2;
        while (end < bytes.Length && bytes[end] is not (>= 0x40 and <= 0x7E)) end++;
        if (end == bytes.Length) return end;
        KeyKind? kind = bytes[end] switch
        {
            (byte)'A' => KeyKind.Up,
            (byte)'B' => KeyKind.Down,
            (byte)'C' => KeyKind.Right,
            (byte)'D' => KeyKind.Left,
            (byte)'H' => KeyKind.Home,
            (byte)'F' => KeyKind.End,
            (byte)'~' => bytes[2] switch
            {
                (byte)'1' or (byte)'7' => KeyKind.Home,
                (byte)'4' or (byte)'8' => KeyKind.End,
                (byte)'5' => KeyKind.PageUp,
                (byte)'6' => KeyKind.PageDown,
                _ => null,
            },
            _ => null,
        };
        if (kind is { } known) keys.Add(new Key(known));
        return end + 1;
    }
}
