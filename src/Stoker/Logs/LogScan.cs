using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>
/// Walks over the whole records of one log file, forwards or backwards, in blocks of 64 KiB. A last line without its newline is being
/// written, or was torn; it is not a record.
/// </summary>
internal sealed class LogScan(LogFile file, long end)
{
    private const int Block = 64 << 10;

    private byte[] _buffer = new byte[2 * Block];
    private int _start;
    private int _stop;
    private long _next = -1;

    /// <summary>The next record, without its newline; false at the end.</summary>
    public bool TryForward(out ReadOnlySpan<byte> record)
    {
        _next = Math.Max(_next, 0);
        int searched = 0;
        while (true)
        {
            int newline = _buffer.AsSpan((_start + searched).._stop).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                record = _buffer.AsSpan(_start, searched + newline);
                _start += searched + newline + 1;
                return true;
            }

            searched = _stop - _start;
            int wanted = (int)Math.Min(Block, end - _next);
            MakeRoomAfter(wanted);
            int count = wanted <= 0 ? 0 : file.Read(_next, _buffer.AsSpan(_stop, wanted));
            if (count == 0)
            {
                record = default;
                return false;
            }

            _stop += count;
            _next += count;
        }
    }

    /// <summary>The record before, without its newline; false at the beginning of the file.</summary>
    public bool TryBackward(out ReadOnlySpan<byte> record)
    {
        if (_next < 0)
        {
            _next = end;
            _start = _stop = _buffer.Length;
            CutTornEnd();
        }

        // _buffer[_start.._stop] is what has been read and not given out; it ends with a newline.
        int searched = 1;
        while (_stop > _start || _next > 0)
        {
            int newline = _stop == _start ? -1 : _buffer.AsSpan(_start, _stop - _start - searched).LastIndexOf((byte)'\n');
            if (newline >= 0 || (_next == 0 && _stop > _start))
            {
                int from = _start + newline + 1;
                record = _buffer.AsSpan(from, _stop - from - 1);
                _stop = from;
                return true;
            }

            searched = Math.Max(_stop - _start, 1);
            if (!ReadBlockBefore())
            {
                break;
            }
        }

        record = default;
        return false;
    }

    private void CutTornEnd()
    {
        while (ReadBlockBefore())
        {
            int newline = _buffer.AsSpan(_start.._stop).LastIndexOf((byte)'\n');
            if (newline >= 0)
            {
                _stop = _start + newline + 1;
                return;
            }

            _stop = _start;
        }
    }

    private bool ReadBlockBefore()
    {
        int wanted = (int)Math.Min(Block, _next);
        if (wanted <= 0)
        {
            return false;
        }

        MakeRoomBefore(wanted);
        if (file.Read(_next - wanted, _buffer.AsSpan(_start - wanted, wanted)) < wanted)
        {
            // The file was cut while it was read: nothing before this can be told apart.
            _next = 0;
            return false;
        }

        _start -= wanted;
        _next -= wanted;
        return true;
    }

    private void MakeRoomAfter(int wanted)
    {
        if (_buffer.Length - _stop >= wanted)
        {
            return;
        }

        int kept = _stop - _start;
        byte[] target = kept + wanted > _buffer.Length ? new byte[Math.Max(2 * _buffer.Length, kept + wanted)] : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, 0, kept);
        (_buffer, _start, _stop) = (target, 0, kept);
    }

    private void MakeRoomBefore(int wanted)
    {
        if (_start >= wanted)
        {
            return;
        }

        int kept = _stop - _start;
        byte[] target = kept + wanted > _buffer.Length ? new byte[Math.Max(2 * _buffer.Length, kept + wanted)] : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, target.Length - kept, kept);
        (_buffer, _start, _stop) = (target, target.Length - kept, target.Length);
    }
}
