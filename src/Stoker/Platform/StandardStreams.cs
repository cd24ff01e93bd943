using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// Standard output and error without <see cref="Console"/>, whose encodings and terminal set-up cost a short-lived program a
/// good part of its start, and which waits for ever when a full pipe has no reader.
/// </summary>
internal static unsafe partial class StandardStreams
{
    public const int Output = 1, ErrorOutput = 2;

    private const short Writable = 0x004;

    /// <summary>For a program that has much to write, and waits for its reader.</summary>
    public static Stream Open(int descriptor) => new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    /// <summary>Writes the line and its end with one write; false, and nothing is written, when the reader is not keeping up.</summary>
    public static bool TryWriteLine(int descriptor, string line)
    {
        var state = new PollEntry { Descriptor = descriptor, Events = Writable };
        if (Poll(&state, 1, 0) <= 0 || (state.Returned & Writable) == 0) return false;

        // Ready means room for PIPE_BUF (4096) bytes at least: a line up to that does not block.
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        fixed (byte* start = bytes)
        {
            return Libc.Write(descriptor, start, bytes.Length) == bytes.Length;
        }
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
