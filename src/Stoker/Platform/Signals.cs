using System.Globalization;

namespace Stoker.Platform;

/// <summary>Signals by name and number, as Linux numbers them on x64 and arm64.</summary>
internal static class Signals
{
    public const int Hangup = 1, Interrupt = 2, Quit = 3, Kill = 9, User1 = 10, User2 = 12, Pipe = 13, Terminate = 15, Child = 17,
        Continue = 18, Stop = 19;

    /// <summary>The first real-time signal a program may use; glibc keeps 32 and 33 for itself.</summary>
    private const int FirstRealTime = 34, LastRealTime = 64;

    private static readonly string[] Names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Reads <c>SIGTERM</c>, <c>TERM</c>, <c>sigterm</c>, <c>15</c>, <c>SIGRTMIN+3</c> or <c>RTMAX-2</c>.</summary>
    public static bool TryParse(string text, out int signal)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out signal))
        {
            return signal is > 0 and <= LastRealTime;
        }

        var name = text.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(3) : text.AsSpan();
        if (name.StartsWith("RTMIN", StringComparison.OrdinalIgnoreCase))
        {
            return TryRealTime(name[5..], FirstRealTime, '+', out signal);
        }

        if (name.StartsWith("RTMAX", StringComparison.OrdinalIgnoreCase))
        {
            return TryRealTime(name[5..], LastRealTime, '-', out signal);
        }

        signal = 0;
        for (var number = 1; number < Names.Length; number++)
        {
            if (name.Equals(Names[number], StringComparison.OrdinalIgnoreCase))
            {
                signal = number;
                return true;
            }
        }

        signal = name switch
        {
            _ when name.Equals("IOT", StringComparison.OrdinalIgnoreCase) => 6,
            _ when name.Equals("CLD", StringComparison.OrdinalIgnoreCase) => Child,
            _ when name.Equals("POLL", StringComparison.OrdinalIgnoreCase) => 29,
            _ => 0,
        };
        return signal != 0;
    }

    /// <summary><c>SIGTERM</c>, <c>SIGRTMIN+3</c>; <c>signal 99</c> for what is none.</summary>
    public static string Name(int signal) => signal switch
    {
        > 0 when signal < Names.Length => "SIG" + Names[signal],
        FirstRealTime => "SIGRTMIN",
        > FirstRealTime and <= LastRealTime => $"SIGRTMIN+{signal - FirstRealTime}",
        _ => $"signal {signal}",
    };

    private static bool TryRealTime(ReadOnlySpan<char> offset, int origin, char sign, out int signal)
    {
        signal = origin;
        if (offset.IsEmpty)
        {
            return true;
        }

        if (offset[0] != sign || !int.TryParse(offset[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var distance))
        {
            signal = 0;
            return false;
        }

        signal = sign == '+' ? origin + distance : origin - distance;
        return signal is >= FirstRealTime and <= LastRealTime;
    }
}
