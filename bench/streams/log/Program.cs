namespace Stoker.Bench;

/// <summary>The embedded log beside the bare drive: `bench/streams/run log`. Arguments: a directory on the drive, and which rows.</summary>
internal static class Program
{
    private static void Main(string[] args)
    {
        var directory = Path.GetFullPath(args is [var first, ..] ? first : ".");
        var which = args is [_, var second, ..] ? second : "all";
        if (which is "all" or "commit") CommitRows.Run(directory);
        if (which is "all" or "flood") FloodRows.Run(directory);
        if (which is "all" or "open") OpenRows.Run(directory);
    }
}
