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
    /// How many of the bytes, which follow those given before, belong to the event that ends first in them; the line end that closes
    /// it is part of it. 0: no event ends in them, and the next bytes continue it.
    /// </summary>
    public int EndOfEvent(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at++)
        {
            var next = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
            if (next != 0)
            {
                (_lineIsEmpty, _afterReturn) = (false, false);
                if (next < 0) return 0;
                at += next;
            }

            if (bytes[at] == '\n' && _afterReturn)
            {
                // The second half of a line end; what it ends was seen at its first.
                _afterReturn = false;
                continue;
            }

            var ends = _lineIsEmpty;
            (_lineIsEmpty, _afterReturn) = (true, bytes[at] == '\r');
            if (!ends) continue;
            if (!_afterReturn || at + 1 >= bytes.Length || bytes[at + 1] != '\n') return at + 1;
            _afterReturn = false;
            return at + 2;
        }

        return 0;
    }
}
