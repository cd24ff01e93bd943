using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;

namespace Stoker.Streams.Log.Reading;

/// <summary>
/// Reads a partition forwards, up to what is durable and no further, one batch at a time, each held to its checksum. One thread at a time; any number of readers.
/// </summary>
internal sealed class LogReader : IEventReader
{
    private readonly Partition _partition;
    private readonly ulong _tag;
    private IDiskFile? _file;
    private ExtentReader? _extents;
    private string _path = "";
    private long _position;

    internal LogReader(Partition partition, ulong from)
    {
        _partition = partition;
        _tag = partition.Log.TagOf(partition.Number);
        NextOffset = from;
    }

    /// <summary>Of the record that comes next.</summary>
    public ulong NextOffset { get; private set; }

    /// <summary>What is next; without waiting for it.</summary>
    /// <exception cref="IOException">A file cannot be opened.</exception>
    public ReadOutcome Read()
    {
        while (true)
        {
            var end = _partition.End.NextOffset;
            if (NextOffset >= end) return ReadOutcome.End.Instance;
            if (NextOffset < _partition.BeginOffset) return Deleted();
            if (_file is null && !Open()) return NextOffset < _partition.BeginOffset ? Deleted() : Missing();
            var extent = _extents!.Read(_position, _file!.Length);
            if (extent.Seal?.NextOffset <= NextOffset)
            {
                Close();
                continue;
            }

            var isExpected = extent.Kind is ExtentKind.Batch or ExtentKind.Gap && extent.Header.FirstOffset <= NextOffset;
            if (!isExpected) return Damaged(extent, end);
            _position += extent.Header.Extent;
            // On the way from the place that the index gave.
            if (extent.Header.NextOffset <= NextOffset) continue;
            return extent.Kind == ExtentKind.Gap ? Pass(extent.Header) : Take(extent.Header);
        }
    }

    /// <summary>Completes when <see cref="Read"/> has something.</summary>
    public Task WaitAsync(CancellationToken cancellation = default) => _partition.WaitForAsync(NextOffset, cancellation);

    public void Dispose() => Close();

    private ReadOutcome.Batch Take(in BatchHeader header)
    {
        var from = NextOffset;
        NextOffset = header.NextOffset;
        return new ReadOutcome.Batch(new LogBatch(_extents!.Detach(), header, from));
    }

    private ReadOutcome.Gap Pass(in BatchHeader header)
    {
        var from = NextOffset;
        NextOffset = header.NextOffset;
        return new ReadOutcome.Gap(from, NextOffset);
    }

    private ReadOutcome.Deleted Deleted()
    {
        Close();
        var from = NextOffset;
        NextOffset = _partition.BeginOffset;
        return new ReadOutcome.Deleted(from, NextOffset);
    }

    private ReadOutcome.Damaged Missing() =>
        new(new LogDamage(DamageKind.SegmentMissing, _partition.Number, RelativePath, NextOffset, null, 0, 0, "a segment is not there"));

    private ReadOutcome.Damaged Damaged(in Extent extent, ulong end) => new(new LogDamage(
        DamageKind.Batches, _partition.Number, RelativePath, NextOffset,
        extent.Header.Count > 0 && extent.Header.FirstOffset <= NextOffset ? Math.Min(extent.Header.NextOffset, end) : null,
        _position, _position + Math.Max(Blocks.Size, extent.Header.Length),
        extent.Kind == ExtentKind.Unreadable ? $"it cannot be read: {Errno.Text(extent.Error)}" : "a batch is not as it was written"));

    private string RelativePath => $"{_partition.Number}/{Path.GetFileName(_path)}";

    private bool Open()
    {
        _path = _partition.Segments.PathOf(NextOffset);
        _file = _partition.Disk.Open(_path, DiskAccess.Read, out var error);
        if (_file is null) return error == Errno.NoEntry ? false : throw Errno.Failed($"cannot open `{_path}`", error);
        _extents = new ExtentReader(_file, _tag);
        _position = SegmentPlaces.Find(_file, _tag, mark => mark.Offset <= NextOffset);
        return true;
    }

    private void Close()
    {
        _extents?.Dispose();
        _file?.Dispose();
        (_extents, _file) = (null, null);
    }
}
