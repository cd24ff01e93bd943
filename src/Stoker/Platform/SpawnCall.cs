using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>
/// posix_spawn, with its arguments laid out in one block of native memory. The child gets its own session, no signal
/// blocked or ignored, /dev/null as its input, and the two outputs.
/// </summary>
/// <remarks>
/// posix_spawn and not fork: the runtime's other threads and heap make anything between fork and exec unsafe from here, and
/// glibc's implementation (clone with CLONE_VM and CLONE_VFORK) copies no page tables and reports errors of exec.
/// </remarks>
internal static unsafe partial class SpawnCall
{
    private const string Library = "libc";
    private const short SetSignalDefaults = 0x04, SetSignalMask = 0x08, SetSession = 0x80;

    // glibc has 80 and 336 bytes on 64-bit machines.
    private const int ActionsSize = 256, AttributesSize = 512, SignalSetSize = 128;

    /// <summary>The pid, or minus the error number.</summary>
    public static int Run(string executable, IReadOnlyList<string> arguments, LaunchRequest request, int output, int errorOutput)
    {
        var actions = stackalloc byte[ActionsSize];
        var attributes = stackalloc byte[AttributesSize];
        var signals = stackalloc byte[SignalSetSize];
        _ = InitializeActions(actions);
        _ = InitializeAttributes(attributes);
        var arena = new Arena(executable, arguments, request);
        try
        {
            _ = Libc.EmptySignalSet(signals);
            _ = SetMask(attributes, signals);

            // Not sigfillset: it leaves out glibc's own 32 and 33, which a spawn then hands down ignored.
            new Span<byte>(signals, SignalSetSize).Fill(0xFF);
            _ = SetDefaults(attributes, signals);
            _ = SetFlags(attributes, SetSession | SetSignalMask | SetSignalDefaults);
            var error = AddChangeDirectory(actions, arena.WorkingDirectory);
            error = error != 0 ? error : AddDuplicate(actions, output, 1);
            error = error != 0 ? error : AddDuplicate(actions, errorOutput, 2);
            fixed (byte* nothing = "/dev/null\0"u8)
            {
                error = error != 0 ? error : AddOpen(actions, 0, nothing, Libc.ReadOnly, 0);
                var pid = 0;
                error = error != 0 ? error : Spawn(&pid, arena.Executable, actions, attributes, arena.Arguments, arena.Environment);
                return error != 0 ? -error : pid;
            }
        }
        finally
        {
            arena.Free();
            _ = DestroyActions(actions);
            _ = DestroyAttributes(attributes);
        }
    }

    [LibraryImport(Library, EntryPoint = "posix_spawn")]
    private static partial int Spawn(int* pid, byte* path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitializeActions(byte* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(byte* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addopen")]
    private static partial int AddOpen(byte* actions, int descriptor, byte* path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(byte* actions, int descriptor, int target);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addchdir_np")]
    private static partial int AddChangeDirectory(byte* actions, byte* path);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_init")]
    private static partial int InitializeAttributes(byte* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(byte* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* set);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaults(byte* attributes, byte* set);

    /// <summary>The strings and the two arrays of pointers to them, in one allocation.</summary>
    private readonly ref struct Arena
    {
        private readonly byte* _block;

        public Arena(string executable, IReadOnlyList<string> arguments, LaunchRequest request)
        {
            var pointers = arguments.Count + request.Environment.Count + 3;
            nuint size = (nuint)(pointers * sizeof(byte*)) + Length(executable) + Length(request.WorkingDirectory) + 2;
            foreach (var argument in arguments)
            {
                size += Length(argument) + 1;
            }

            foreach (var (name, value) in request.Environment)
            {
                size += Length(name) + Length(value) + 2;
            }

            _block = (byte*)NativeMemory.Alloc(size);
            Arguments = (byte**)_block;
            Environment = Arguments + arguments.Count + 2;
            var next = _block + (pointers * sizeof(byte*));
            Executable = Arguments[0] = Text(ref next, executable);
            for (var i = 0; i < arguments.Count; i++)
            {
                Arguments[i + 1] = Text(ref next, arguments[i]);
            }

            Arguments[arguments.Count + 1] = null;
            var variable = Environment;
            foreach (var (name, value) in request.Environment)
            {
                *variable++ = Variable(ref next, name, value);
            }

            *variable = null;
            WorkingDirectory = Text(ref next, request.WorkingDirectory);
        }

        public byte* Executable { get; }

        public byte* WorkingDirectory { get; }

        public byte** Arguments { get; }

        public byte** Environment { get; }

        public void Free() => NativeMemory.Free(_block);

        private static nuint Length(string text) => (nuint)Encoding.UTF8.GetByteCount(text);

        private static byte* Text(ref byte* next, string text)
        {
            var start = next;
            Append(ref next, text);
            *next++ = 0;
            return start;
        }

        private static byte* Variable(ref byte* next, string name, string value)
        {
            var start = next;
            Append(ref next, name);
            *next++ = (byte)'=';
            Append(ref next, value);
            *next++ = 0;
            return start;
        }

        private static void Append(ref byte* next, string text) =>
            next += Encoding.UTF8.GetBytes(text, new Span<byte>(next, Encoding.UTF8.GetByteCount(text)));
    }
}
