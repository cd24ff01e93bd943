using System.Collections.Concurrent;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Opening;

namespace Stoker.Streams.Log.Positions;

/// <summary>The kept positions of a partition: where it begins, and how far its consumers are.</summary>
internal sealed class PartitionPositions : IDisposable
{
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly ulong _tag;
    private readonly PositionFile _begin;
    private readonly ConcurrentDictionary<string, PositionFile> _consumers = new();

    /// <exception cref="IOException"/>
    public PartitionPositions(IDisk disk, string directory, ulong tag, IReadOnlyDictionary<string, PositionReading> read)
    {
        (_disk, _directory, _tag) = (disk, directory, tag);
        foreach (var (name, reading) in read)
        {
            if (reading is PositionReading.Found found) _consumers[name] = PositionFile.Open(disk, Path.Combine(directory, name), tag, found, found.Position);
        }

        _begin = _consumers.TryRemove(PartitionSurvey.BeginName, out var begin) ? begin : throw new ArgumentException("there is no beginning", nameof(read));
    }

    public Position Begin => _begin.Current;

    /// <summary>Null: no consumer needs anything kept.</summary>
    public ulong? LowestRequired => _consumers.Values.Select(file => file.Current).Where(position => position.Required).Select(position => (ulong?)position.Next).Min();

    public int SetBegin(Position position) => _begin.Set(position);

    /// <exception cref="IOException"/>
    public PositionFile Open(string name, Position otherwise)
    {
        if (name.Length == 0 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-') || name + PositionFile.Ending == PartitionSurvey.BeginName)
            throw new ArgumentException($"`{name}` is no name for a consumer", nameof(name));
        // Two that ask for it at once are given the same.
        lock (_consumers)
        {
            return _consumers.GetOrAdd(name + PositionFile.Ending, file => PositionFile.Open(_disk, Path.Combine(_directory, file), _tag, null, otherwise));
        }
    }

    /// <summary>Retention does not wait for a consumer any more; one that never was is none.</summary>
    /// <returns>0, or the error.</returns>
    public int Release(string name) =>
        _consumers.TryGetValue(name + PositionFile.Ending, out var file) && file.Current.Required ? file.Set(file.Current with { Required = false, Epoch = 0 }) : 0;

    public void Dispose()
    {
        _begin.Dispose();
        foreach (var file in _consumers.Values) file.Dispose();
    }
}
