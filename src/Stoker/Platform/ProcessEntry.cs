using System.Text;

namespace Stoker.Platform;

/// <summary>One process as /proc/PID/stat tells it.</summary>
/// <param name="StartTicks">Clock ticks after boot when it started. Pid and start together name a process for good.</param>
/// <param name="State">R, S, D, T, t, Z, X or I.</param>
/// <param name="Command">The kernel's name for it, at most 15 bytes; not the command line.</param>
/// <param name="CpuTicks">User and system time so far, of it alone.</param>
/// <param name="Flags">The kernel's PF_… flags.</param>
internal readonly record struct ProcessEntry(
    int Pid, int ParentPid, int GroupId, int SessionId, char State, ulong StartTicks, string Command, ulong CpuTicks, ulong ResidentBytes,
    uint Flags)
{
    private const uint KernelThreadFlag = 0x0020_0000;
    private const int FieldsRead = 52;

    public bool IsZombie => State is 'Z' or 'X';

    public bool IsKernelThread => (Flags & KernelThreadFlag) != 0;

    /// <summary>Its time on a processor, in the unit of everything else.</summary>
    public TimeSpan CpuTime => TimeSpan.FromSeconds((double)CpuTicks / Ticks.PerSecond);

    public static ProcessEntry? Read(int pid) => Read(pid, out _);

    /// <param name="waitStatus">The status word of a zombie; the kernel shows 0 to those who may not trace the process.</param>
    public static unsafe ProcessEntry? Read(int pid, out int waitStatus)
    {
        waitStatus = 0;
        var buffer = stackalloc byte[1024];
        var length = ProcFile.Read($"/proc/{pid}/stat", buffer, 1024);
        return length <= 0 ? null : TryParse(new ReadOnlySpan<byte>(buffer, length), out var entry, out waitStatus) ? entry : null;
    }

    /// <summary>
    /// <c>812 (nginx: worker) S 811 811 811 0 -1 4194560 …</c>. The command is in parentheses and may itself contain
    /// parentheses, spaces and newlines: it ends at the last closing one.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out ProcessEntry entry, out int waitStatus)
    {
        entry = default;
        waitStatus = 0;
        var open = line.IndexOf((byte)'(');
        var close = line.LastIndexOf((byte)')');
        if (open < 2 || close < open || close + 4 > line.Length)
        {
            return false;
        }

        // Indexed as in proc(5): 1 is the pid, 2 the command, 3 the state.
        Span<long> fields = stackalloc long[FieldsRead + 1];
        fields.Clear();
        var rest = line[(close + 4)..];
        for (var field = 4; field <= FieldsRead && !rest.IsEmpty; field++)
        {
            fields[field] = Number(ref rest);
        }

        var digits = line[..(open - 1)];
        entry = new ProcessEntry(
            (int)Number(ref digits), (int)fields[4], (int)fields[5], (int)fields[6], (char)line[close + 2], (ulong)fields[22],
            Encoding.UTF8.GetString(line[(open + 1)..close]), (ulong)(fields[14] + fields[15]), (ulong)fields[24] * Ticks.PageSize,
            (uint)fields[9]);
        waitStatus = (int)fields[52];
        return true;
    }

    /// <summary>Takes one decimal number and the space after it. Wraps where the kernel prints an unsigned 64-bit one.</summary>
    private static long Number(ref ReadOnlySpan<byte> text)
    {
        var index = 0;
        var negative = text.Length > 0 && text[0] == '-';
        if (negative)
        {
            index++;
        }

        long value = 0;
        for (; index < text.Length && text[index] is >= (byte)'0' and <= (byte)'9'; index++)
        {
            value = unchecked((value * 10) + (text[index] - '0'));
        }

        text = text[Math.Min(index + 1, text.Length)..];
        return negative ? -value : value;
    }
}

/// <summary>The units of /proc.</summary>
internal static class Ticks
{
    private const int ClockTicks = 2, PageBytes = 30;

    /// <summary>100 on every Linux that .NET runs on, but asked for all the same.</summary>
    public static readonly ulong PerSecond = (ulong)Libc.Configuration(ClockTicks);

    public static readonly ulong PageSize = (ulong)Libc.Configuration(PageBytes);
}
