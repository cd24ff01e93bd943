namespace Stoker.Http;

/// <summary>What the next unread bytes of a body are.</summary>
internal enum BodyStep
{
    /// <summary>A piece of the body: skip, then that many bytes.</summary>
    Piece,

    /// <summary>More must be received first.</summary>
    Wait,

    /// <summary>The body is complete; what follows belongs to the next message.</summary>
    End,

    /// <summary>Not a body of its kind: chunk sizes that are none, or too long a trailer.</summary>
    Broken,
}

/// <summary>
/// Finds the body among received bytes, whichever way its end is marked. Holds only where it is, no bytes: what it points at is
/// consumed by the caller.
/// </summary>
internal struct BodyFraming(BodyKind kind, long length)
{
    private const int MaxSizeLine = 256, MaxTrailer = 8 * 1024;

    private BodyKind _kind = kind;
    private long _left = kind == BodyKind.Length ? length : 0;
    private bool _inChunk;
    private bool _inTrailer;

    public static BodyFraming Of(MessageHead head) => new(head.Body, head.ContentLength);

    public readonly bool EndsWithConnection => _kind == BodyKind.UntilClose;

    public readonly bool IsComplete => _kind == BodyKind.None;

    /// <summary>One step over what is unread.</summary>
    /// <param name="skip">Bytes of framing to consume first, whatever the step is.</param>
    /// <param name="take">Bytes of body after them.</param>
    public BodyStep Next(ReadOnlySpan<byte> unread, out int skip, out int take)
    {
        (skip, take) = (0, 0);
        switch (_kind)
        {
            case BodyKind.None:
                return BodyStep.End;
            case BodyKind.UntilClose:
                take = unread.Length;
                return take > 0 ? BodyStep.Piece : BodyStep.Wait;
            case BodyKind.Length:
                if (unread.IsEmpty) return BodyStep.Wait;
                take = (int)Math.Min(_left, unread.Length);
                _left -= take;
                if (_left == 0) _kind = BodyKind.None;
                return BodyStep.Piece;
            default:
                return NextOfChunks(unread, out skip, out take);
        }
    }

    private BodyStep NextOfChunks(ReadOnlySpan<byte> unread, out int skip, out int take)
    {
        (skip, take) = (0, 0);
        while (true)
        {
            var rest = unread[skip..];
            if (_inTrailer) return Trailer(rest, ref skip);
            if (_inChunk && _left == 0)
            {
                if (rest.Length < 2) return BodyStep.Wait;
                if (!rest.StartsWith("\r\n"u8)) return BodyStep.Broken;
                skip += 2;
                _inChunk = false;
                continue;
            }

            if (_inChunk)
            {
                take = (int)Math.Min(_left, rest.Length);
                _left -= take;
                return take > 0 ? BodyStep.Piece : BodyStep.Wait;
            }

            var end = rest[..Math.Min(rest.Length, MaxSizeLine)].IndexOf((byte)'\n');
            if (end < 0) return rest.Length >= MaxSizeLine ? BodyStep.Broken : BodyStep.Wait;
            if (end < 2 || rest[end - 1] != '\r' || !TrySize(rest[..(end - 1)], out _left)) return BodyStep.Broken;
            skip += end + 1;
            _inChunk = _left > 0;
            _inTrailer = _left == 0;
        }
    }

    /// <summary>Trailer fields are read over and dropped: nobody forwards them through here.</summary>
    private BodyStep Trailer(ReadOnlySpan<byte> rest, ref int skip)
    {
        var at = 0;
        while (true)
        {
            var end = rest[at..].IndexOf("\r\n"u8);
            if (end < 0) return rest.Length > MaxTrailer ? BodyStep.Broken : BodyStep.Wait;
            at += end + 2;
            if (at > MaxTrailer) return BodyStep.Broken;
            if (end > 0) continue;
            skip += at;
            _kind = BodyKind.None;
            return BodyStep.End;
        }
    }

    /// <summary>Hexadecimal digits, then perhaps an extension, which means nothing to us.</summary>
    private static bool TrySize(ReadOnlySpan<byte> line, out long size)
    {
        size = 0;
        var digits = 0;
        while (digits < line.Length && HexValue(line[digits]) is var value and >= 0)
        {
            if (++digits > 15) return false;
            size = (size << 4) + value;
        }

        return digits > 0 && (digits == line.Length || line[digits] is (byte)';' or (byte)' ' or (byte)'\t') && !line.Contains((byte)'\r');
    }

    private static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };
}
