namespace Stoker.Platform;

/// <summary>A file that only grows: each append is one write to the kernel, so a kill of the daemon leaves whole appends.</summary>
internal sealed class AppendFile : IDisposable
{
    private readonly FileStream _file;

    private AppendFile(FileStream file) => _file = file;

    public long Length => _file.Length;

    public static AppendFile Open(string path) => new(Files.OpenAppend(path));

    public void Append(ReadOnlySpan<byte> bytes) => _file.Write(bytes);

    public void Dispose() => _file.Dispose();
}
