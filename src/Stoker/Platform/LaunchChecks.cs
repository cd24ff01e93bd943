using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>
/// Why a program cannot start, in words. The kernel's error number says little (ENOENT may be the program, its interpreter or
/// its loader), so after a failure the path itself is looked at.
/// </summary>
internal static unsafe class LaunchChecks
{
    private const uint BasicFields = 0x7FF;
    private const int HeaderSize = 4096;

    public static LaunchOutcome.Refused? Malformed(LaunchRequest request)
    {
        if (!request.Executable.StartsWith('/'))
        {
            return new(LaunchRefusal.Other, $"`{request.Executable}` is not an absolute path");
        }

        if (request.Executable.Contains('\0') || request.WorkingDirectory.Contains('\0') || request.Arguments.Any(text => text.Contains('\0')))
        {
            return new(LaunchRefusal.Other, $"the command line of `{request.Executable}` contains a NUL character");
        }

        foreach (var (name, value) in request.Environment)
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0') || value.Contains('\0'))
            {
                return new(LaunchRefusal.Other, $"environment variable `{name}` has a name or a value that no environment can hold");
            }
        }

        return null;
    }

    public static LaunchOutcome.Refused OutputRefused(string? path, int error) =>
        Resources(error) ?? new(
            error is Errno.AccessDenied or Errno.NotPermitted ? LaunchRefusal.PermissionDenied : LaunchRefusal.Other,
            $"cannot open the output `{path ?? "/dev/null"}`: {Errno.Text(error)}");

    /// <summary>Limits that prlimit(1) would refuse, said here, where it is not taken for a failure of the program.</summary>
    public static LaunchOutcome.Refused? Limits(IReadOnlyList<ResourceLimit> limits)
    {
        var current = stackalloc ulong[2];
        foreach (var limit in limits)
        {
            if (limit.Soft > limit.Hard)
            {
                return new(LaunchRefusal.Other, $"limit {limit.Name}: soft {limit.Soft} is above hard {limit.Hard}");
            }

            if (Libc.GetLimit((int)limit.Resource, current) == 0 && limit.Hard > current[1] && !HostEnvironment.MayRaiseLimits)
            {
                return new(
                    LaunchRefusal.PermissionDenied,
                    $"limit {limit.Name}: {ResourceLimit.Text(limit.Hard)} is above the daemon's own hard limit {current[1]}, which it may not raise (CAP_SYS_RESOURCE)");
            }
        }

        return Array.Find([.. limits], limit => limit.Resource == Resource.OpenFiles && limit.Hard > MostOpenFiles()) is { } beyond
            ? new(
                LaunchRefusal.PermissionDenied,
                $"limit nofile: {ResourceLimit.Text(beyond.Hard)} is above the kernel's own {MostOpenFiles()} (sysctl fs.nr_open)")
            : null;
    }

    /// <summary>Is there something wrong with the program or its directory? Null when not.</summary>
    public static LaunchOutcome.Refused? Program(LaunchRequest request) => Directory(request) ?? File(request.Executable);

    public static LaunchOutcome.Refused Diagnose(LaunchRequest request, int error) => Resources(error) ?? error switch
    {
        Errno.ArgumentsTooLong => new(
            LaunchRefusal.Other, $"the arguments and environment of `{request.Executable}` are longer than the kernel takes"),
        Errno.NotImplemented => new(LaunchRefusal.Unsupported, "this kernel has no pidfd_open; Stoker needs Linux 5.4 or later"),
        Errno.TextBusy => new(LaunchRefusal.NotExecutable, $"`{request.Executable}` is open for writing"),
        _ => Program(request) ?? Unexplained(request.Executable, error),
    };

    private static ulong MostOpenFiles() => ulong.TryParse(ProcFile.ReadText("/proc/sys/fs/nr_open"), out var most) ? most : ulong.MaxValue;

    private static LaunchOutcome.Refused? Resources(int error) =>
        error is Errno.Again or Errno.NoMemory or Errno.TooManyOpen or Errno.TooManyOpenSystem
            ? new(LaunchRefusal.OutOfResources, error == Errno.Again
                ? "the kernel refuses another process: a limit on processes (nproc, pids.max or kernel.pid_max) is reached"
                : Errno.Text(error))
            : null;

    private static LaunchOutcome.Refused? Directory(LaunchRequest request)
    {
        var path = request.WorkingDirectory;
        var error = Look(path, out var status);
        return error switch
        {
            Errno.AccessDenied => new(LaunchRefusal.PermissionDenied, $"working directory `{path}`: {Errno.Text(error)}"),
            not 0 => new(LaunchRefusal.NoWorkingDirectory, $"working directory `{path}`: {Errno.Text(error)}"),
            _ when !status.IsDirectory => new(LaunchRefusal.NoWorkingDirectory, $"working directory `{path}` is not a directory"),
            _ when Libc.Access(path, Libc.MayExecute) != 0 => new(
                LaunchRefusal.PermissionDenied, $"working directory `{path}` may not be entered (mode {Octal(status.Permissions)})"),
            _ => null,
        };
    }

    private static LaunchOutcome.Refused? File(string path)
    {
        var error = Look(path, out var status);
        return error switch
        {
            Errno.NoEntry or Errno.NotDirectory => new(LaunchRefusal.NotFound, $"`{path}` does not exist"),
            Errno.AccessDenied => new(LaunchRefusal.PermissionDenied, $"`{path}` is in a directory that may not be entered"),
            not 0 => new(LaunchRefusal.Other, $"`{path}`: {Errno.Text(error)}"),
            _ when status.IsDirectory => new(LaunchRefusal.NotExecutable, $"`{path}` is a directory"),
            _ when !status.IsRegular => new(LaunchRefusal.NotExecutable, $"`{path}` is not a regular file"),
            _ when (status.Permissions & 0b001_001_001) == 0 => new(
                LaunchRefusal.NotExecutable, $"`{path}` is not executable (mode {Octal(status.Permissions)}; chmod +x makes it so)"),
            _ when Libc.Access(path, Libc.MayExecute) != 0 => new(
                LaunchRefusal.PermissionDenied, $"`{path}` may not be executed (mode {Octal(status.Permissions)}, or a file system mounted noexec)"),
            _ => Content(path),
        };
    }

    /// <summary>A script's interpreter, a binary's machine and loader.</summary>
    private static LaunchOutcome.Refused? Content(string path)
    {
        var buffer = stackalloc byte[HeaderSize];
        var length = ProcFile.Read(path, buffer, HeaderSize);
        var start = new ReadOnlySpan<byte>(buffer, Math.Max(length, 0));
        if (start.StartsWith("#!"u8))
        {
            var line = Encoding.UTF8.GetString(start[2..(start.IndexOf((byte)'\n') is > 2 and var end ? end : start.Length)]).Trim(' ', '\t');
            var interpreter = line.Split(' ', '\t')[0];
            return NeededFile(path, "interpreter", interpreter);
        }

        if (!start.StartsWith("\u007fELF"u8))
        {
            // Unreadable but executable is legal.
            return length < 0 ? null : new(LaunchRefusal.NotExecutable, $"`{path}` is neither a program for this machine nor a script that begins with #!");
        }

        var machine = start.Length < 20 ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(start[18..]);
        var here = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "x64" : "arm64";
        return MachineName(machine) is { } built && built != here
            ? new(LaunchRefusal.NotExecutable, $"`{path}` is built for {built}, and this machine is {here}")
            : Loader(start) is { } loader ? NeededFile(path, "loader", loader) : null;
    }

    private static LaunchOutcome.Refused? NeededFile(string path, string role, string needed)
    {
        var error = Look(needed, out var status);
        return error switch
        {
            Errno.NoEntry or Errno.NotDirectory => new(LaunchRefusal.NotFound, $"`{path}` needs the {role} `{Shown(needed)}`, which does not exist"),
            0 when !status.IsRegular || Libc.Access(needed, Libc.MayExecute) != 0 => new(
                LaunchRefusal.NotExecutable, $"`{path}` needs the {role} `{Shown(needed)}`, which is not executable"),
            _ => null,
        };
    }

    /// <summary>The path in the PT_INTERP (3) program header of a 64-bit little-endian file; null for a static binary.</summary>
    private static string? Loader(ReadOnlySpan<byte> file)
    {
        const int headerOffset = 32, headerSize = 54, headerCount = 56, interpreterType = 3;
        if (file.Length < 64 || file[4] != 2)
        {
            return null;
        }

        var offset = BinaryPrimitives.ReadUInt64LittleEndian(file[headerOffset..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(file[headerSize..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(file[headerCount..]);
        for (var i = 0; i < count && size >= 56 && offset + ((ulong)(i + 1) * size) <= (ulong)file.Length; i++)
        {
            var header = file.Slice((int)offset + (i * size), size);
            var begin = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            var length = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) == interpreterType && length < HeaderSize && begin + length <= (ulong)file.Length)
            {
                return Encoding.UTF8.GetString(file.Slice((int)begin, (int)length)).TrimEnd('\0');
            }
        }

        return null;
    }

    private static string? MachineName(int machine) => machine switch
    {
        3 => "x86",
        40 => "arm",
        62 => "x64",
        183 => "arm64",
        243 => "riscv64",
        _ => null,
    };

    private static LaunchOutcome.Refused Unexplained(string path, int error) => new(
        error switch
        {
            Errno.NoEntry => LaunchRefusal.NotFound,
            Errno.NoExecFormat => LaunchRefusal.NotExecutable,
            Errno.AccessDenied or Errno.NotPermitted => LaunchRefusal.PermissionDenied,
            _ => LaunchRefusal.Other,
        },
        $"`{path}` cannot be started: {Errno.Text(error)}");

    /// <summary>A carriage return at the end of an interpreter is the usual reason that it does not exist.</summary>
    private static string Shown(string path) => path.Replace("\r", "\\r");

    private static int Look(string path, out Libc.FileStatus status)
    {
        Libc.FileStatus found = default;
        var error = Libc.Status(Libc.AtCurrentDirectory, path, 0, BasicFields, &found) == 0 ? 0 : Marshal.GetLastPInvokeError();
        status = found;
        return error;
    }

    private static string Octal(int mode) => Convert.ToString(mode, 8).PadLeft(4, '0');
}
