using Microsoft.Win32.SafeHandles;
using Stoker.Platform;

namespace Stoker.Tests.Platform;

/// <summary>The reading end of a named pipe for a test: a read that finds nothing does not wait.</summary>
internal sealed class FifoReader : IDisposable
{
    private readonly SafeFileHandle _pipe;
    private readonly FileStream _stream;

    public FifoReader(string path)
    {
        _pipe = Pipes.OpenFifo(path);
        _stream = new FileStream(_pipe, FileAccess.Read, bufferSize: 0);
    }

    public int Descriptor => (int)_pipe.DangerousGetHandle();

    public int Read(Span<byte> buffer)
    {
        var waiting = Pipes.Waiting(_pipe);
        return waiting == 0 ? 0 : _stream.Read(buffer[..Math.Min(waiting, buffer.Length)]);
    }

    public void Dispose() => _stream.Dispose();
}
