namespace Stoker.Platform;

/// <summary>What became of a <see cref="LaunchRequest"/>.</summary>
internal abstract record LaunchOutcome
{
    private LaunchOutcome()
    {
    }

    /// <summary>The program runs: the kernel has accepted its file, so what ends now is the program itself.</summary>
    internal sealed record Launched(ChildProcess Process) : LaunchOutcome
    {
        /// <summary>The control group it was put into; null where there is none, or none that would take it.</summary>
        public Cgroup? Cgroup { get; init; }
    }

    /// <summary>Nothing runs. The message names the path and what is wrong with it.</summary>
    internal sealed record Refused(LaunchRefusal Cause, string Message) : LaunchOutcome;
}

internal enum LaunchRefusal
{
    NotFound,
    NotExecutable,
    NoWorkingDirectory,
    PermissionDenied,
    OutOfResources,
    Unsupported,
    Other,
}
