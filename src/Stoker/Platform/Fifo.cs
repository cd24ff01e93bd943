using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>The reading end of a named pipe, never blocking: for a <see cref="Poller"/>.</summary>
/// <remarks>
/// Opened for reading and writing, so that it is never at its end: writers come and go, and between two of them a pipe that
/// only readers hold would report a hang-up for ever.
/// </remarks>
internal sealed unsafe class Fifo : IDisposable
{
    private const int SetPipeSize = 1031, GetPipeSize = 1032;

    private readonly SafeFileHandle handle;

    private Fifo(SafeFileHandle handle) => this.handle = handle;

    public int Descriptor
    {
        get
        {
            // The number may be another file's by now.
            ObjectDisposedException.ThrowIf(handle.IsClosed, this);
            return (int)handle.DangerousGetHandle();
        }
    }

    /// <summary>Bytes the kernel holds before a writer has to wait.</summary>
    public int Capacity => Libc.Control(Descriptor, GetPipeSize, 0);

    /// <param name="capacity">What to ask the kernel for; it gives less to non-root users that have many (pipe-user-pages-soft).</param>
    public static Fifo Open(string path, int capacity = 0)
    {
        var descriptor = Libc.Open(path, Libc.ReadWrite | Libc.NonBlocking | Libc.CloseOnExec);
        if (descriptor < 0)
        {
            throw Errno.LastFailed($"cannot open the FIFO `{path}`");
        }

        if (capacity > 0)
        {
            // Refused means a smaller pipe, which Capacity tells; nothing is lost by it.
            _ = Libc.Control(descriptor, SetPipeSize, capacity);
        }

        return new Fifo(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>The bytes read; 0 when there are none now.</summary>
    public int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = Libc.Read(Descriptor, start, buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Errno.Again:
                        return 0;
                    case Errno.Interrupted:
                        break;
                    case var error:
                        throw Errno.Failed("cannot read a FIFO", error);
                }
            }
        }
    }

    public void Dispose() => handle.Dispose();
}
