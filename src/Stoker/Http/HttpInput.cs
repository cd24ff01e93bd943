using System.Runtime.CompilerServices;
using Stoker.Platform;
using Stoker.Platform.Loops;

namespace Stoker.Http;

/// <summary>
/// What a connection has received and nobody has consumed yet. The buffer is rented when bytes are there and given back when
/// they are consumed, so that a thousand idle connections hold none.
/// </summary>
internal sealed class HttpInput(IWire wire)
{
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    public ReadOnlyMemory<byte> UnreadMemory => _buffer.AsMemory(_start, _end - _start);

    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    public int Length => _end - _start;

    public void Consume(int count)
    {
        _start += count;
        if (_start == _end) Release();
    }

    /// <summary>
    /// Receives once, after what is unread, without waiting. Where a request passes by the thousand, the caller waits itself (<see cref="ReadableAsync"/>)
    /// and not through <see cref="FillAsync"/>: each method that waits within another costs as much as reading a head.
    /// </summary>
    /// <returns>Bytes received, 0 at the peer's end, <c>-EAGAIN</c> when there are none yet, or another negated error number.</returns>
    public int Fill()
    {
        if (!wire.MayReceive) return -Errno.Again;
        MakeRoom();
        var received = wire.Receive(_buffer.AsSpan(_end));
        if (received > 0) _end += received;
        else if (_start == _end) Release();
        return received;
    }

    /// <summary>Completes with 0 when there may be something to receive, else with a negated error number.</summary>
    public ValueTask<int> ReadableAsync(long deadline) => wire.ReadableAsync(deadline);

    /// <summary>Receives once, after what is unread; waits until there is something.</summary>
    /// <returns>Bytes received, 0 at the peer's end, or a negated error number.</returns>
    public ValueTask<int> FillAsync(long deadline)
    {
        var ready = wire.ReadableAsync(deadline);
        if (!ready.IsCompletedSuccessfully) return WaitAsync(ready, deadline);
        var code = ready.Result;
        if (code == 0) code = Fill();
        return code == -Errno.Again ? WaitAsync(wire.ReadableAsync(deadline), deadline) : new ValueTask<int>(code);
    }

    public void Release()
    {
        _start = _end = 0;
        LoopBuffers.Return(_buffer);
        _buffer = [];
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(ValueTask<int> ready, long deadline)
    {
        while (true)
        {
            var code = await ready;
            if (code == 0) code = Fill();
            if (code != -Errno.Again) return code;
            ready = wire.ReadableAsync(deadline);
        }
    }

    private void MakeRoom()
    {
        if (_buffer.Length == 0)
        {
            _buffer = LoopBuffers.Rent(LoopBuffers.Usual);
            return;
        }

        var free = _buffer.Length - _end;
        if (free >= LoopBuffers.Usual / 4) return;
        if (_start >= _buffer.Length / 2)
        {
            Unread.CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            return;
        }

        var larger = LoopBuffers.Rent(_buffer.Length * 2);
        Unread.CopyTo(larger);
        LoopBuffers.Return(_buffer);
        (_buffer, _start, _end) = (larger, 0, _end - _start);
    }
}
