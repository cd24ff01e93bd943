using System.Diagnostics;
using Xunit;

namespace Stoker.Tests.Shared;

/// <summary>A file system of a few megabytes, for what has to stand a full disk; needs root.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    public static SmallDisk Mount(string size)
    {
        string path = Directory.CreateTempSubdirectory("stoker-disk-").FullName;
        using Process? mount = Start("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path);
        mount?.WaitForExit();
        if (mount is not { ExitCode: 0 })
        {
            Directory.Delete(path);
            Assert.Skip("a full disk needs a small file system of its own, and mounting one was refused: run as root");
        }

        return new SmallDisk(path);
    }

    public string Fill(long leaving)
    {
        string path = System.IO.Path.Combine(Path, "ballast");
        using FileStream file = File.Create(path, 1);
        try
        {
            file.Write(new byte[new DriveInfo(Path).AvailableFreeSpace - leaving]);
        }
        catch (IOException) when (leaving == 0)
        {
            // Somebody else has written there meanwhile; it is as full as it can be.
        }

        return path;
    }

    public void Dispose()
    {
        using Process? unmount = Start("umount", "-l", Path);
        unmount?.WaitForExit();
        Directory.Delete(Path);
    }

    private static Process? Start(string command, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
