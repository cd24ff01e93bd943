namespace Stoker.Cli;

/// <summary>What every verb ends with. The numbers are part of the interface; docs and each <c>--help</c> list them.</summary>
internal enum ExitCode
{
    Done = 0,

    /// <summary>A service that is not up, a wait that ran out of time, a probe that failed, an unknown failure.</summary>
    NotAsItShouldBe = 1,

    Usage = 2,

    EstateIsWrong = 3,

    /// <summary>Unsafe, or it does not fit.</summary>
    Refused = 4,

    NoDaemon = 5,

    Interrupted = 130,
}

internal static class ExitCodes
{
    public static string Meaning(ExitCode code) => code switch
    {
        ExitCode.Done => "done",
        ExitCode.NotAsItShouldBe => "something is not as it should be",
        ExitCode.Usage => "usage: the command line is wrong",
        ExitCode.EstateIsWrong => "the estate file is wrong",
        ExitCode.Refused => "refused: unsafe, or it does not fit",
        ExitCode.NoDaemon => "no daemon answers",
        ExitCode.Interrupted => "interrupted",
    };
}
