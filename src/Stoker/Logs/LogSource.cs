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
internal sealed record LogRotation(long MaxSize, int MaxFiles);
