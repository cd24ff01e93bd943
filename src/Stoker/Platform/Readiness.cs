using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>Waits for one descriptor in place, for code that has nothing else to do meanwhile.</summary>
internal static unsafe partial class Readiness
{
    public const short Input = 0x001, Output = 0x004;

    /// <param name="events"><see cref="Input"/> or <see cref="Output"/>.</param>
    /// <param name="patience"><see cref="Timeout.InfiniteTimeSpan"/> waits for ever.</param>
    /// <returns>False when the time is over, and for a descriptor that will never be ready.</returns>
    public static bool Await(int descriptor, short events, TimeSpan patience)
    {
        var began = Environment.TickCount64;
        while (true)
        {
            var left = patience == Timeout.InfiniteTimeSpan ? -1 : Math.Max(0, (long)patience.TotalMilliseconds - (Environment.TickCount64 - began));
            var state = new PollEntry { Descriptor = descriptor, Events = events };
            var ready = Poll(&state, 1, (int)Math.Min(left, int.MaxValue));
            if (ready >= 0 || Marshal.GetLastPInvokeError() != Errno.Interrupted) return ready > 0 && (state.Returned & events) != 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    /// <summary>struct pollfd.</summary>
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
