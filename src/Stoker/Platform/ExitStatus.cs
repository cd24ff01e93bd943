namespace Stoker.Platform;

/// <summary>How a process ended: by a code, by a signal, or unknown (adopted, and reaped by somebody else before anyone looked).</summary>
internal readonly record struct ExitStatus(int? Code, int? Signal)
{
    public static ExitStatus Unknown => default;

    public bool IsKnown => Code is not null || Signal is not null;

    public bool IsSuccess => Code == 0;

    public static ExitStatus Exited(int code) => new(code, null);

    public static ExitStatus Killed(int signal) => new(null, signal);

    /// <summary>The status word of wait(2): the low seven bits a signal, else the next eight the code.</summary>
    public static ExitStatus FromWaitStatus(int status) =>
        (status & 0x7F) == 0 ? Exited((status >> 8) & 0xFF) : Killed(status & 0x7F);

    public override string ToString() => this switch
    {
        { Signal: { } signal } => $"killed by {Signals.Name(signal)}",
        { Code: { } code } => $"exited with {code}",
        _ => "ended, exit status unknown",
    };
}
