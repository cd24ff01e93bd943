namespace Stoker.Daemon.Protocol;

/// <summary>Documents that the daemon sends one a line for as long as both sides live.</summary>
/// <param name="read">Makes a document of one line.</param>
internal sealed class ControlStream<T>(ControlConnection connection, Func<ReadOnlyMemory<byte>, T> read) : IDisposable
    where T : class
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>The daemon ended the stream itself, as opposed to dying.</summary>
    public bool EndedWell { get; private set; }

    /// <summary>The next document is here already, so that a reader need not show what it has yet.</summary>
    public bool HasMore => _buffer.AsSpan(_start, _end - _start).Contains((byte)'\n');

    /// <summary>The next document; null when there will be no more, and then <see cref="EndedWell"/> says how it ended.</summary>
    public async ValueTask<T?> NextAsync(CancellationToken cancel)
    {
        while (true)
        {
            var line = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (line > 0)
            {
                var document = read(_buffer.AsMemory(_start, line));
                _start += line + 1;
                return document;
            }

            if (line == 0) _start++;
            else if (!await FillAsync(cancel)) return null;
        }
    }

    public void Dispose() => connection.Dispose();

    private async ValueTask<bool> FillAsync(CancellationToken cancel)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        try
        {
            var count = await connection.ReadAsync(_buffer.AsMemory(_end), cancel);
            _end += count;
            EndedWell = count == 0 && connection.IsComplete;
            return count > 0;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            // The daemon died: that it ended, and not well, is what the caller needs to know.
            EndedWell = false;
            return false;
        }
    }
}
