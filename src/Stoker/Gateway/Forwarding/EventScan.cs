namespace Stoker.Gateway.Forwarding;

/// <summary>
/// Finds the ends of server-sent events in a stream of bytes, however these come: an event split over reads, several in one, line
/// ends of CR, LF or both. Holds where it is, and no bytes.
/// </summary>
internal struct EventScan
{
    private bool _lineIsEmpty = true;
    private bool _afterReturn;

    public EventScan()
    {
    }

    /// <summary>
    /// How many of the bytes, which follow those given before, end with the end of an event: everything up to there is whole events.
    /// 0: no event ends in them. The line end that closes an event belongs to it.
    /// </summary>
    public int WholeEvents(ReadOnlySpan<byte> bytes)
    {
        var whole = 0;
        for (var at = 0; at < bytes.Length;)
        {
            var next = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
            if (next != 0)
            {
                (_lineIsEmpty, _afterReturn) = (false, false);
                if (next < 0) return whole;
                at += next;
            }

            if (bytes[at] == '\n' && _afterReturn)
            {
                // The second half of a line end; what it ends was seen at its first.
                _afterReturn = false;
                if (whole == at) whole = at + 1;
                at++;
                continue;
            }

            if (_lineIsEmpty) whole = at + 1;
            (_lineIsEmpty, _afterReturn) = (true, bytes[at] == '\r');
            at++;
        }

        return whole;
    }
}
