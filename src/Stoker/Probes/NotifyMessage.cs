using System.Text;

namespace Stoker.Probes;

/// <summary>
/// One datagram of systemd's <c>sd_notify</c> protocol (sd_notify(3)): assignments, one a line.
/// <code>
/// READY=1
/// STATUS=Loaded 3 models
/// MAINPID=4711
/// </code>
/// </summary>
internal sealed record NotifyMessage
{
    /// <summary>systemd's own limit (NOTIFY_BUFFER_MAX); it throws longer ones away whole.</summary>
    public const int Longest = 4096;

    /// <summary>Start-up, or a reload, is complete.</summary>
    public bool Ready { get; init; }

    /// <summary>It reads its configuration again; <see cref="Ready"/> follows.</summary>
    public bool Reloading { get; init; }

    /// <summary>When the reload began, on CLOCK_MONOTONIC.</summary>
    public TimeSpan? MonotonicTime { get; init; }

    /// <summary>It is on its way out.</summary>
    public bool Stopping { get; init; }

    /// <summary>What it does, in its own words.</summary>
    public string? Status { get; init; }

    /// <summary>The main process, when it is not the one that was started.</summary>
    public int? MainPid { get; init; }

    /// <summary>Alive: the watchdog's time starts again.</summary>
    public bool KeepAlive { get; init; }

    /// <summary>It found itself broken and asks for what a missed watchdog would bring.</summary>
    public bool WatchdogTrigger { get; init; }

    /// <summary>A new time for the watchdog.</summary>
    public TimeSpan? WatchdogTime { get; init; }

    /// <summary>It needs this much more, from now, for the start, reload or stop in progress.</summary>
    public TimeSpan? ExtendTimeout { get; init; }

    /// <summary>errno of a failure.</summary>
    public int? Errno { get; init; }

    /// <summary>D-Bus name of a failure.</summary>
    public string? BusError { get; init; }

    /// <summary>The sender waits until the descriptor that came along is closed.</summary>
    public bool Barrier { get; init; }

    /// <summary>What was sent and is not done, in words.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public static NotifyMessage Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Longest) return new NotifyMessage { Notes = [$"a message of more than {Longest} bytes was not read"] };

        // Some senders count the terminating zero in.
        var text = bytes.TrimEnd((byte)0);
        if (text.Contains((byte)0)) return new NotifyMessage { Notes = ["a message with a zero byte in it was not read"] };

        var message = new NotifyMessage();
        List<string> notes = [];
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = Encoding.UTF8.GetString(text[range]);
            if (line.Length == 0) continue;

            var equals = line.IndexOf('=');
            var read = equals > 0 ? message.With(line[..equals], line[(equals + 1)..]) : null;
            message = read ?? message;
            if (read is null && Note(line, equals) is { } note) notes.Add(note);
        }

        return message with { Notes = notes };
    }

    /// <summary>Null when the key is unknown or the value makes no sense.</summary>
    private NotifyMessage? With(string key, string value) => (key, value) switch
    {
        ("READY", "1") => this with { Ready = true },
        ("RELOADING", "1") => this with { Reloading = true },
        ("STOPPING", "1") => this with { Stopping = true },
        ("BARRIER", "1") => this with { Barrier = true },
        ("WATCHDOG", "1") => this with { KeepAlive = true },
        ("WATCHDOG", "trigger") => this with { WatchdogTrigger = true },
        ("STATUS", _) => this with { Status = value },
        ("BUSERROR", _) => this with { BusError = value },
        ("MAINPID", _) when int.TryParse(value, out var pid) && pid > 1 => this with { MainPid = pid },
        ("ERRNO", _) when int.TryParse(value, out var errno) && errno >= 0 => this with { Errno = errno },
        ("MONOTONIC_USEC", _) when Time(value) is { } time => this with { MonotonicTime = time },
        ("WATCHDOG_USEC", _) when Time(value) is { } time => this with { WatchdogTime = time },
        ("EXTEND_TIMEOUT_USEC", _) when Time(value) is { } time => this with { ExtendTimeout = time },
        _ => null,
    };

    private static TimeSpan? Time(string value)
    {
        // systemd's own "infinity" is the largest number; nobody waits longer than a TimeSpan can say.
        if (!ulong.TryParse(value, out var microseconds)) return null;
        var most = (ulong)(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond);
        return TimeSpan.FromTicks((long)Math.Min(microseconds, most) * TimeSpan.TicksPerMicrosecond);
    }

    private static string? Note(string line, int equals)
    {
        var key = equals > 0 ? line[..equals] : line;
        return key switch
        {
            // X_ is set aside for the sender's own use.
            _ when key.StartsWith("X_", StringComparison.Ordinal) => null,
            "FDSTORE" or "FDSTOREREMOVE" or "FDNAME" or "FDPOLL" => $"{key} is not supported: descriptors are not kept across restarts",
            "READY" or "RELOADING" or "STOPPING" or "BARRIER" or "WATCHDOG" or "MAINPID" or "ERRNO" or "MONOTONIC_USEC" or "WATCHDOG_USEC"
                or "EXTEND_TIMEOUT_USEC" => $"`{line}` makes no sense and was not obeyed",
            _ when equals <= 0 => $"`{line}` is no assignment",
            _ => $"{key} is not known",
        };
    }
}
