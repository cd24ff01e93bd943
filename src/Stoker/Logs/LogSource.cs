namespace Stoker.Logs;

/// <summary>Where a line was written to.</summary>
internal enum LogStream : byte
{
    Output = 0,
    Error = 1,
}

/// <summary>
/// One replica's output: the pipes it writes to and the file its lines go to. The redaction list holds the secret values this
/// replica was given; every occurrence in its output becomes <c>***</c> before it is stored (see <see cref="Redaction"/>).
/// What is not yet in the log lies beside the pipes, as <c>PIPE.spool</c>: give the pipes a directory in memory (/run) and
/// unfiltered output never reaches a disk.
/// </summary>
internal sealed record LogSource(
    string Service,
    int Replica,
    string OutputFifo,
    string ErrorFifo,
    string LogPath,
    LogRotation Rotation,
    IReadOnlyList<byte[]> Secrets)
{
    public string Fifo(LogStream stream) => stream == LogStream.Output ? OutputFifo : ErrorFifo;

    public string SpoolPath(LogStream stream) => Fifo(stream) + ".spool";

    public string CursorPath => LogPath + ".cursor";
}

/// <summary>When a log file is set aside, and how many files stay: Compose's <c>logging: {options: {max-size, max-file}}</c>.</summary>
internal sealed record LogRotation(long MaxSize, int MaxFiles)
{
    public static LogRotation Default { get; } = new(10 << 20, 5);

    /// <summary>
    /// Reads the options as Docker does: <c>max-size</c> is a number with <c>b</c>, <c>k</c>, <c>m</c> or <c>g</c> (powers of 1024; -1 for
    /// no limit), <c>max-file</c> a count of at least 1. Other options are left to whoever knows the driver.
    /// </summary>
    public static bool TryRead(IReadOnlyDictionary<string, string> options, out LogRotation rotation, out string problem)
    {
        rotation = Default;
        problem = "";
        if (options.TryGetValue("max-size", out string? size))
        {
            if (!TryReadSize(size, out long bytes))
            {
                problem = $"`max-size: {size}` is not a size such as `10m`, `200k` or `1g`";
                return false;
            }

            rotation = rotation with { MaxSize = bytes };
        }

        if (options.TryGetValue("max-file", out string? count))
        {
            if (!int.TryParse(count, out int files) || files < 1)
            {
                problem = $"`max-file: {count}` is not a number of files, 1 or more";
                return false;
            }

            rotation = rotation with { MaxFiles = files };
        }

        return true;
    }

    private static bool TryReadSize(string text, out long bytes)
    {
        bytes = long.MaxValue;
        if (text == "-1")
        {
            return true;
        }

        string lower = text.Trim().ToLowerInvariant();
        string number = lower.TrimEnd('b').TrimEnd('k', 'm', 'g');
        int shift = lower.TrimEnd('b')[number.Length..] switch { "" => 0, "k" => 10, "m" => 20, "g" => 30, _ => -1 };
        if (shift < 0 || !double.TryParse(number, out double value) || !(value > 0) || value * (1L << shift) is not (>= 1 and < long.MaxValue))
        {
            return false;
        }

        bytes = (long)(value * (1L << shift));
        return true;
    }
}
