using Stoker.Platform;

namespace Stoker.Estates.Yaml;

/// <summary>Estate files from the disk.</summary>
internal sealed class EstateFiles : IEstateFiles
{
    public byte[]? Read(string path, out string? problem)
    {
        problem = null;
        try
        {
            using Stream stream = Files.OpenRead(path);
            return ReadBounded(stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "no such file",
                UnauthorizedAccessException when Files.DirectoryExists(path) => "it is a directory",
                UnauthorizedAccessException => "permission denied",
                _ => e.Message,
            };
            return null;
        }
    }

    public bool Exists(string path) => Files.Exists(path);

    // A pipe or /proc file tells no length; a file may grow while it is read.
    private static byte[] ReadBounded(Stream stream)
    {
        var most = IEstateFiles.LargestFile + 1;
        var buffer = new byte[Math.Min(most, stream.CanSeek ? stream.Length + 1 : 4096)];
        var filled = 0;
        while (true)
        {
            var count = stream.Read(buffer, filled, buffer.Length - filled);
            if (count == 0) return buffer[..filled];
            filled += count;
            if (filled == most) return buffer;
            if (filled == buffer.Length) Array.Resize(ref buffer, Math.Min(most, buffer.Length * 2));
        }
    }
}
