using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>
/// Standard output and error without <see cref="Console"/>, whose encodings and terminal set-up cost a short-lived program a
/// good part of its start, and which waits for ever when a full pipe has no reader.
/// </summary>
internal static unsafe class StandardStreams
{
    public const int Output = 1, ErrorOutput = 2;

    /// <summary>For a program that has much to write, and waits for its reader.</summary>
    public static Stream Open(int descriptor) => new DescriptorStream(descriptor);

    /// <summary>Writes the line and its end with one write; false, and nothing is written, when the reader is not keeping up.</summary>
    public static bool TryWriteLine(int descriptor, string line)
    {
        if (!Readiness.Await(descriptor, Readiness.Output, TimeSpan.Zero)) return false;

        // Ready means room for PIPE_BUF (4096) bytes at least: a line up to that does not block.
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        fixed (byte* start = bytes)
        {
            return Libc.Write(descriptor, start, bytes.Length) == bytes.Length;
        }
    }

    /// <summary>
    /// Nothing but write(2). A FileStream would write at an offset of its own where the descriptor is a file, over what others wrote who
    /// share it: <c>(stoker status; stoker events) > file</c>.
    /// </summary>
    private sealed class DescriptorStream(int descriptor) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (buffer.Length > 0)
            {
                nint written;
                fixed (byte* start = buffer) written = Libc.Write(descriptor, start, buffer.Length);
                if (written >= 0) buffer = buffer[(int)written..];
                else if (Marshal.GetLastPInvokeError() is var error && error == Errno.Again) Readiness.Await(descriptor, Readiness.Output, Timeout.InfiniteTimeSpan);
                else if (error == Errno.BrokenPipe) throw new ReaderLeftException();
                else if (error != Errno.Interrupted) throw Errno.Failed(descriptor == Output ? "cannot write to standard output" : "cannot write to standard error", error);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
            // Nothing is held back.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

/// <summary>Who read what this program writes has left: <c>stoker logs | head</c>.</summary>
internal sealed class ReaderLeftException() : IOException("nobody reads the output any more");
