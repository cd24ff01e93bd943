using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>The named pipes between a replica and the daemon.</summary>
internal static class Fifos
{
    /// <summary>Makes the pipe, mode 0600, and the directories above it, mode 0700. A pipe that is already there is kept with its content.</summary>
    public static void Create(string path)
    {
        LogFile.CreateDirectory(Path.GetDirectoryName(path) ?? "");
        Pipes.CreateFifo(path);
    }
}
