using System.IO.Compression;
using System.Security.Cryptography;
using Stoker.Platform.Disks;

namespace Stoker.Streams.Archive;

/// <summary>
/// An object while it is gathered: compressed lines in a file of this machine, so that memory does not grow with it, summed as they are written. A file that a crash
/// left behind is written over by the next of its name.
/// </summary>
internal sealed class SpoolFile : IDisposable
{
    private readonly SummedStream _compressed;
    private readonly GZipStream _gzip;
    private readonly IncrementalHash _content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <exception cref="IOException"/>
    public SpoolFile(IDisk disk, string path)
    {
        _compressed = new SummedStream(new DiskStream(disk.OpenOrThrow(path, DiskAccess.Create), path));
        _gzip = new GZipStream(_compressed, CompressionLevel.Fastest, leaveOpen: true);
    }

    public long Lines { get; private set; }

    /// <summary>Bytes of the lines.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>Bytes that were compressed so far; the compressor holds some back.</summary>
    public long Bytes => _compressed.Written;

    /// <summary>The object; when it is finished.</summary>
    public Stream Object => _compressed.Inner;

    /// <summary>Of the object; when it is finished.</summary>
    public byte[] Sum { get; private set; } = [];

    /// <param name="line">With its end.</param>
    /// <exception cref="IOException"/>
    public void Write(ReadOnlySpan<byte> line)
    {
        _gzip.Write(line);
        _content.AppendData(line);
        Lines++;
        ContentBytes += line.Length;
    }

    /// <exception cref="IOException"/>
    public ArchiveObject Finish(string what, string name)
    {
        _gzip.Dispose();
        Sum = _compressed.Sum();
        return new ArchiveObject(what, name, Lines, Bytes, Convert.ToHexStringLower(Sum), ContentBytes, Convert.ToHexStringLower(_content.GetHashAndReset()));
    }

    public void Dispose()
    {
        try
        {
            // Writes what it holds back.
            _gzip.Dispose();
        }
        catch (IOException)
        {
            // Nobody wants it any more.
        }

        _compressed.Dispose();
        _content.Dispose();
    }
}
