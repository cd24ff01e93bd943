using System.Text;

namespace Stoker.Logs;

/// <summary>
/// Replaces secret values by <c>***</c>. Values shorter than four bytes are left alone: they would tear ordinary words apart. Output is
/// filtered line by line, so a secret of several lines (a private key) is one value per line, of which lines under eight
/// bytes are left out. Where two values begin at the same byte the longer one wins. The result is never longer than the message.
/// </summary>
internal sealed class Redaction
{
    private const int Shortest = 4, ShortestOfMany = 8;

    private readonly byte[][] _values;
    private readonly System.Buffers.SearchValues<byte>? _firsts;

    private Redaction(byte[][] values)
    {
        _values = values;
        _firsts = values.Length == 0 ? null : System.Buffers.SearchValues.Create(values.Select(static value => value[0]).Distinct().ToArray());
    }

    public static Redaction None { get; } = new([]);

    public bool IsEmpty => _values.Length == 0;

    public static Redaction Of(IEnumerable<byte[]> secrets)
    {
        List<byte[]> values = [];
        foreach (byte[] secret in secrets)
        {
            ReadOnlySpan<byte> trimmed = secret.AsSpan().TrimEnd("\r\n"u8);
            bool single = !trimmed.Contains((byte)'\n');
            foreach (Range line in trimmed.Split((byte)'\n'))
            {
                ReadOnlySpan<byte> value = single ? trimmed[line] : trimmed[line].Trim(" \t\r"u8);
                if (value.Length >= (single ? Shortest : ShortestOfMany) && !values.Exists(Same(value)))
                {
                    values.Add(value.ToArray());
                }
            }
        }

        return values.Count == 0 ? None : new Redaction([.. values.OrderByDescending(static value => value.Length)]);
    }

    /// <summary>Copies the message without its secrets; true when there were any.</summary>
    public bool Apply(ReadOnlySpan<byte> message, Span<byte> target, out int written)
    {
        written = 0;
        bool found = false;
        while (true)
        {
            (int start, int length) = FirstMatch(message);
            int before = length == 0 ? message.Length : start;
            message[..before].CopyTo(target[written..]);
            written += before;
            if (length == 0)
            {
                return found;
            }

            found = true;
            "***"u8.CopyTo(target[written..]);
            written += 3;
            message = message[(start + length)..];
        }
    }

    /// <summary>
    /// Where a line that does not end may be cut so that no secret lies across the cut, neither one that is there already nor one
    /// that the next bytes could complete. Never 0: a value longer than the whole piece cannot be waited for.
    /// </summary>
    public int SafeCut(ReadOnlySpan<byte> piece)
    {
        int from = 0;
        while (true)
        {
            (int match, int length) = FirstMatch(piece[from..]);
            int last = length == 0 ? piece.Length - 1 : from + match;
            for (int start = Math.Max(from, piece.Length - LongestValue + 1); start <= last; start++)
            {
                if (Begins(piece[start..]))
                {
                    return start == 0 ? piece.Length : start;
                }
            }

            if (length == 0)
            {
                return piece.Length;
            }

            from += match + length;
        }
    }

    private int LongestValue => IsEmpty ? 1 : _values[0].Length;

    private bool Begins(ReadOnlySpan<byte> end)
    {
        foreach (byte[] value in _values)
        {
            if (value.Length > end.Length && value.AsSpan().StartsWith(end))
            {
                return true;
            }
        }

        return false;
    }

    private (int Start, int Length) FirstMatch(ReadOnlySpan<byte> text)
    {
        int position = 0;
        while (_firsts is not null && text[position..].IndexOfAny(_firsts) is >= 0 and int step)
        {
            position += step;
            foreach (byte[] value in _values)
            {
                if (text[position..].StartsWith(value))
                {
                    return (position, value.Length);
                }
            }

            position++;
        }

        return (0, 0);
    }

    private static Predicate<byte[]> Same(ReadOnlySpan<byte> value)
    {
        byte[] copy = value.ToArray();
        return other => other.AsSpan().SequenceEqual(copy);
    }

    // A crash report or a log shape that prints this must not print the values.
    public override string ToString() => new StringBuilder("Redaction of ").Append(_values.Length).Append(" values").ToString();
}
