using System.Runtime.InteropServices;

namespace Stoker.Platform.Loops;

/// <summary>Sockets as glibc has them. Called from this folder only; every descriptor is non-blocking and close-on-exec.</summary>
internal static unsafe partial class SocketCalls
{
    private const string Library = "libc";

    public const int Stream = 1, NonBlocking = 0x800, CloseOnExec = 0x80000;
    public const int FamilyUnix = 1, FamilyInet = 2, FamilyInet6 = 10;
    public const int LevelSocket = 1, LevelTcp = 6;
    public const int ReuseAddress = 2, SocketError = 4, KeepAlive = 9, Linger = 13;
    public const int NoDelay = 1, KeepIdle = 4, KeepInterval = 5, KeepCount = 6, Congestion = 13, UserTimeout = 18;
    public const int NoSignal = 0x4000, More = 0x8000;

    /// <summary>The error numbers that only sockets have, of those that are decided by (the same on x64 and arm64).</summary>
    public const int InProgress = 115, TimedOut = 110, Canceled = 125, BrokenPipe = 32, Reset = 104, Aborted = 103;

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int descriptor, byte* address, uint length);

    [LibraryImport(Library, EntryPoint = "listen", SetLastError = true)]
    public static partial int Listen(int descriptor, int backlog);

    [LibraryImport(Library, EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept(int descriptor, byte* address, uint* length, int flags);

    [LibraryImport(Library, EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int descriptor, byte* address, uint length);

    [LibraryImport(Library, EntryPoint = "getsockname", SetLastError = true)]
    public static partial int LocalName(int descriptor, byte* address, uint* length);

    [LibraryImport(Library, EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetOption(int descriptor, int level, int option, void* value, uint length);

    [LibraryImport(Library, EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetOption(int descriptor, int level, int option, void* value, uint* length);

    [LibraryImport(Library, EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, byte* buffer, nint count, int flags);

    [LibraryImport(Library, EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int descriptor, byte* buffer, nint count, int flags);

    [LibraryImport(Library, EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(int descriptor, Message* message, int flags);

    [LibraryImport(Library, EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int descriptor, int how);

    /// <summary><c>struct iovec</c>.</summary>
    internal struct Piece
    {
        public byte* At;
        public nint Length;
    }

    /// <summary><c>struct msghdr</c>.</summary>
    internal struct Message
    {
        public void* Name;
        public nint NameLength;
        public Piece* Pieces;
        public nint Count;
        public void* Control;
        public nint ControlLength;
        public nint Flags;
    }

    public static void SetOption(int descriptor, int level, int option, int value) => _ = SetOption(descriptor, level, option, &value, sizeof(int));
}
