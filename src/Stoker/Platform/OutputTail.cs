using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// Takes the output of a short command and keeps only its end: a command that writes without end neither blocks nor fills
/// anything. A pipe without a name, so that it works on a full disk and leaves no file behind. One thread reads for all.
/// </summary>
internal sealed unsafe partial class OutputTail : IDisposable
{
    public const int Usual = 4096;

    private static readonly Lazy<Poller> Reading = new(() => new Poller("output tails"));

    private readonly SafeFileHandle _reader;
    private readonly SafeFileHandle _writer;
    private readonly Poller.Registration _registration;
    private readonly byte[] _ring;
    private readonly Lock _keeping = new();
    private long _total;
    private bool _closed;

    /// <param name="kept">Bytes.</param>
    public OutputTail(int kept = Usual)
    {
        _ring = new byte[kept];
        var ends = stackalloc int[2];
        if (OpenPipe(ends, Libc.CloseOnExec | Libc.NonBlocking) < 0) throw Errno.LastFailed("cannot make a pipe");

        _reader = new SafeFileHandle(ends[0], ownsHandle: true);
        _writer = new SafeFileHandle(ends[1], ownsHandle: true);
        _registration = Reading.Value.Register(ends[0], PollEvents.Readable, _ => Take());
    }

    /// <summary>
    /// What to give as <see cref="LaunchRequest.Output"/>: opening it makes a blocking description of its own. The writing end
    /// here stays open, so that the pipe is never at its end before <see cref="Dispose"/>.
    /// </summary>
    public string Path => $"/proc/self/fd/{(int)_writer.DangerousGetHandle()}";

    /// <summary>The end of what was written until now; what is no UTF-8 is replaced.</summary>
    public string Text
    {
        get
        {
            Take();
            lock (_keeping)
            {
                var start = (int)(_total % _ring.Length);
                var bytes = _total <= _ring.Length ? _ring[..(int)_total] : [.. _ring[start..], .. _ring[..start]];
                return Encoding.UTF8.GetString(bytes);
            }
        }
    }

    /// <summary>The last line with something on it; null when there is none.</summary>
    public string? LastLine =>
        Text.Split('\n').Select(line => line.Trim().TrimStart('\uFFFD')).LastOrDefault(line => line.Length > 0);

    public void Dispose()
    {
        _registration.Dispose();
        lock (_keeping)
        {
            _closed = true;
            _reader.Dispose();
            _writer.Dispose();
        }
    }

    private void Take()
    {
        var buffer = stackalloc byte[Usual];
        lock (_keeping)
        {
            // A callback may still come after the registration has ended; the descriptor is another's by then.
            while (!_closed)
            {
                var count = (int)Libc.Read((int)_reader.DangerousGetHandle(), buffer, Usual);
                if (count <= 0) return;
                Keep(new ReadOnlySpan<byte>(buffer, count));
                if (count < Usual) return;
            }
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        var start = (int)(_total % _ring.Length);
        var first = Math.Min(bytes.Length, _ring.Length - start);
        bytes[..first].CopyTo(_ring.AsSpan(start));
        bytes[first..].CopyTo(_ring);
        _total += bytes.Length;
    }

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int OpenPipe(int* ends, int flags);
}
