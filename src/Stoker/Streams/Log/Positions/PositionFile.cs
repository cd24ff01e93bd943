using Stoker.Platform;
using Stoker.Platform.Disks;

namespace Stoker.Streams.Log.Positions;

/// <summary>
/// A position that is kept: two slots that are written in turn, in place, each synced, so that a full disk does not hold it up and a power cut leaves one of the last
/// two. One thread at a time; one file per consumer and partition.
/// </summary>
internal sealed class PositionFile : IDisposable
{
    public const string Ending = ".position";

    private readonly IDisk _disk;
    private readonly string _path;
    private readonly ulong _tag;
    private IDiskFile? _file;
    private ulong _sequence;
    private volatile Position _current;

    private PositionFile(IDisk disk, string path, ulong tag, Position current, ulong sequence)
    {
        (_disk, _path, _tag, _current, _sequence) = (disk, path, tag, current, sequence);
    }

    /// <summary>From any thread.</summary>
    public Position Current => _current;

    /// <summary>Looks at a file without changing it.</summary>
    /// <exception cref="IOException"/>
    public static PositionReading Read(IDisk disk, string path, ulong tag)
    {
        if (disk.ReadFile(path) is not { } bytes) return new PositionReading.Missing();
        if (bytes.Length != 2 * PositionSlot.Size) return new PositionReading.Damaged($"it has {bytes.Length} bytes instead of {2 * PositionSlot.Size}");
        var first = PositionSlot.TryRead(bytes, tag);
        var second = PositionSlot.TryRead(bytes.AsSpan(PositionSlot.Size), tag);
        if (first is null && second is null) return new PositionReading.Damaged("neither of its two slots is whole");
        var last = first is null || second?.Sequence > first.Value.Sequence ? second!.Value : first.Value;
        return new PositionReading.Found(last.Position, last.Sequence, OneSlotIsBad: first is null || second is null);
    }

    /// <summary>Takes up a position that was read, or makes a new one.</summary>
    /// <exception cref="IOException"/>
    public static PositionFile Open(IDisk disk, string path, ulong tag, PositionReading.Found? found, Position otherwise)
    {
        if (found is not null) return new PositionFile(disk, path, tag, found.Position, found.Sequence);
        disk.WriteFile(path, [.. PositionSlot.ToBytes(otherwise, 0, tag), .. PositionSlot.ToBytes(otherwise, 1, tag)]);
        return new PositionFile(disk, path, tag, otherwise, 1);
    }

    /// <summary>Durable when it returns.</summary>
    /// <returns>0, or the error; then the former position or this one counts, and the next call begins with a fresh file handle.</returns>
    public int Set(Position position)
    {
        _file ??= _disk.Open(_path, DiskAccess.ReadWrite, out _);
        if (_file is null) return Errno.NoEntry;
        var sequence = _sequence + 1;
        var error = _file.WriteAll((long)(sequence % 2) * PositionSlot.Size, PositionSlot.ToBytes(position, sequence, _tag));
        if (error == 0) error = _file.Sync();
        if (error != 0)
        {
            // After a failed sync the kernel takes for clean what it could not write.
            _file.Dispose();
            _file = null;
            return error;
        }

        (_current, _sequence) = (position, sequence);
        return 0;
    }

    public void Dispose() => _file?.Dispose();
}

/// <summary>What a position's file says.</summary>
internal abstract record PositionReading
{
    private PositionReading()
    {
    }

    internal sealed record Missing : PositionReading;

    /// <param name="OneSlotIsBad">The position may be one step older than the last that was written.</param>
    internal sealed record Found(Position Position, ulong Sequence, bool OneSlotIsBad) : PositionReading;

    internal sealed record Damaged(string Words) : PositionReading;
}
