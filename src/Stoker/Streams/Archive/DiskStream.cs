using Stoker.Platform;
using Stoker.Platform.Disks;

namespace Stoker.Streams.Archive;

/// <summary>An open file of the seam as a stream, from its beginning; it owns the file.</summary>
internal sealed class DiskStream(IDiskFile file, string path) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => true;

    public override long Length => file.Length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var count = file.ReadAll(Position, buffer);
        if (count < 0) throw Errno.Failed($"cannot read `{path}`", -count);
        Position += count;
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        DiskCalls.Check(file.WriteAll(Position, buffer), "write", path);
        Position += buffer.Length;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => Position,
        SeekOrigin.End => Length,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    public override void SetLength(long value) => DiskCalls.Check(file.SetLength(value), "cut", path);

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }
}
