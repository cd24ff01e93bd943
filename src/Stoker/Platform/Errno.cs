using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>The error numbers that this folder decides by (the same on x64 and arm64), and the system's words for any.</summary>
internal static class Errno
{
    public const int NotPermitted = 1, NoEntry = 2, NoSuchProcess = 3, Interrupted = 4, InputOutput = 5, ArgumentsTooLong = 7, NoExecFormat = 8,
        Again = 11, NoMemory = 12, AccessDenied = 13, Busy = 16, Exists = 17, NoDevice = 19, NotDirectory = 20, IsDirectory = 21, Invalid = 22,
        TooManyOpenSystem = 23, TooManyOpen = 24, TextBusy = 26, NoSpace = 28, BrokenPipe = 32, NotImplemented = 38, NotSupported = 95, ConnectionReset = 104, TimedOut = 110, ConnectionRefused = 111,
        QuotaExceeded = 122;

    public static string Text(int error) => Marshal.GetPInvokeErrorMessage(error);

    /// <summary>An exception for a call that only fails when the machine is broken or the code wrong.</summary>
    public static IOException Failed(string what, int error) => new($"{what}: {Text(error)} (errno {error})", error);

    public static IOException LastFailed(string what) => Failed(what, Marshal.GetLastPInvokeError());
}
