namespace Stoker.Gateway.Forwarding;

/// <summary>
/// Finds the ends of server-sent events in a stream of bytes, however these come: an event split over reads, several in one, line
/// ends of CR, LF or both. Holds where it is, and no bytes.
/// </summary>
internal struct EventScan
{
    private bool _lineIsEmpty = true;
    private bool _afterReturn;
    private bool _usesPairs;
    private bool _awaitsFeed;

    public EventScan()
    {
    }

    /// <summary>
    /// How many of the bytes, which follow those given before, belong to the event that ends first in them; the line end that closes
    /// it is part of it. 0: it had ended before them. -1: no event ends in them, and the next bytes continue it.
    /// </summary>
    public int EndOfEvent(ReadOnlySpan<byte> bytes)
    {
        if (_awaitsFeed && !bytes.IsEmpty)
        {
            (_awaitsFeed, _afterReturn) = (false, false);
            return bytes[0] == '\n' ? 1 : 0;
        }

        for (var at = 0; at < bytes.Length; at++)
        {
            var next = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
            if (next != 0)
            {
                (_lineIsEmpty, _afterReturn) = (false, false);
                if (next < 0) return -1;
                at += next;
            }

            if (bytes[at] == '\n' && _afterReturn)
            {
                // The second half of a line end; what it ends was seen at its first.
                (_afterReturn, _usesPairs) = (false, true);
                continue;
            }

            var ends = _lineIsEmpty;
            (_lineIsEmpty, _afterReturn) = (true, bytes[at] == '\r');
            if (!ends) continue;
            if (!_afterReturn) return at + 1;
            if (at + 1 < bytes.Length)
            {
                _afterReturn = false;
                return bytes[at + 1] == '\n' ? at + 2 : at + 1;
            }

            // Where lines end with both, clients wait for both: the second half is on its way. Where they end with CR alone, nothing else may ever come.
            _awaitsFeed = _usesPairs;
            return _usesPairs ? -1 : at + 1;
        }

        return -1;
    }
}
