using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Archive;

/// <summary>
/// A run of offsets on its way into the archive: each event a raw line, and a document's line where it becomes one. Its spool files are made with its first event. One
/// thread at a time; used for one run after the other.
/// </summary>
internal sealed class ArchiveDraft : IDisposable
{
    /// <summary>Ranges that a manifest names, beyond which the run ends: a manifest is read as a whole.</summary>
    private const int MostRanges = 10_000;

    /// <summary>Of a path and of a message in a manifest.</summary>
    private const int MostLetters = 256;

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly string _stream;
    private readonly ArchiveSpec _spec;
    private readonly string _log;
    private readonly int _partition;
    private readonly EventLines _lines;
    private readonly List<(string What, SpoolFile File)> _files = [];
    private readonly List<GoneRange> _gone = [];
    private readonly List<NoDocumentRange> _noDocument = [];
    private readonly bool _counts;
    private ArchivePoint _begin;
    private ArchivePoint _end;
    private RunningHash? _lastEvent;
    private long _lastLogged;

    /// <param name="directory">For the spool files; made where it is not there.</param>
    /// <param name="counts">The log has no running hash of its own.</param>
    public ArchiveDraft(IDisk disk, string directory, string stream, IEventPartition partition, ArchiveSpec spec, EventTransform transform, bool counts)
    {
        (_disk, _directory, _stream, _spec, _counts) = (disk, directory, stream, spec, counts);
        (_log, _partition) = (partition.LogName, partition.Number);
        _lines = new EventLines(_log, _partition, transform);
    }

    public long Events { get; private set; }

    /// <summary>Of its largest object, as it is compressed.</summary>
    public long Bytes => _files.Count == 0 ? 0 : _files.Max(each => each.File.Bytes);

    /// <summary>When the log took its first event, microseconds of UTC.</summary>
    public long FirstLogged { get; private set; }

    public bool IsFull => Bytes >= _spec.Bytes || _noDocument.Count + _gone.Count >= MostRanges;

    /// <summary>The objects, to be put where the manifest of <see cref="Close"/> says.</summary>
    public IEnumerable<SpoolFile> Files => _files.Select(each => each.File).Where(file => file.Lines > 0);

    /// <summary>A new run, without anything of the last.</summary>
    public void Begin(ArchivePoint point)
    {
        Clear();
        _gone.Clear();
        _begin = _end = point;
    }

    /// <summary>A new run where the last one ends. What is gone behind its last event belongs to the new one.</summary>
    public void Continue()
    {
        Clear();
        _gone.RemoveAll(range => range.From < _end.Next);
        _begin = _end;
    }

    /// <summary>All of a batch of a log that has a running hash, which is known at its end.</summary>
    /// <exception cref="IOException">The spool cannot be written.</exception>
    public void Add(RecordBatch batch)
    {
        foreach (var record in batch) Write(record, record.Payload);
        _end = new ArchivePoint(batch.NextOffset, batch.Hash);
    }

    /// <summary>One event of a log that has none. Offsets before it of which nothing is known have no event.</summary>
    /// <param name="came">See <see cref="RecordBatch.AsItCame"/>.</param>
    /// <exception cref="IOException">The spool cannot be written.</exception>
    public void Add(in LogRecord record, ReadOnlyMemory<byte> came)
    {
        var known = _gone.Count > 0 ? Math.Max(_end.Next, _gone[^1].To) : _end.Next;
        Pass(known, record.Offset, "absent");
        Write(record, came);
        _end = new ArchivePoint(record.Offset + 1, CountedHash.Add(_end.Hash, record, came));
        _lastEvent = CountedHash.Of(_log, _partition, record, came);
    }

    /// <summary>Offsets that the log does not have any more.</summary>
    public void Pass(ulong from, ulong to, string why)
    {
        if (from < to) _gone.Add(new GoneRange(from, to, why));
    }

    /// <summary>Ends the run. No more can be added then.</summary>
    /// <exception cref="IOException"/>
    public ArchiveManifest Close(DateTimeOffset now)
    {
        var place = Place;
        var objects = _files.Select(each => each.File.Finish(each.What, ArchiveNames.OfObject(_stream, each.What, place))).Where(each => each.Events > 0).ToList();
        return new ArchiveManifest(
            ArchiveManifest.Current, _stream, _log, _partition, _begin.Next, _end.Next, _begin.Hash.ToString(), _end.Hash.ToString(), Events,
            LogModule.TimeOf(FirstLogged), LogModule.TimeOf(_lastLogged), now, _lines.Transform, [.. _gone.Where(range => range.From < _end.Next)], [.. _noDocument], objects)
        {
            LastEvent = _lastEvent?.ToString(),
        };
    }

    /// <summary>Where <see cref="Close"/> ends: what the position becomes when all of it is durable.</summary>
    public ArchivePoint End => _end;

    /// <summary>Of its objects, as they would be if it were closed now.</summary>
    public ArchivePlace Place => new(_log, _partition, _begin.Next, FirstLogged) { Next = _counts ? _end.Next : null };

    public string ManifestName => ArchiveNames.OfManifest(_stream, Place);

    public void Dispose()
    {
        Clear();
        _lines.Dispose();
    }

    private void Clear()
    {
        foreach (var (_, file) in _files) file.Dispose();
        _files.Clear();
        _noDocument.Clear();
        (Events, FirstLogged, _lastLogged) = (0, 0, 0);
    }

    private void Write(in LogRecord record, ReadOnlyMemory<byte> came)
    {
        if (Events == 0)
        {
            FirstLogged = record.Time;
            MakeFiles();
        }

        Events++;
        _lastLogged = record.Time;
        _lines.Begin(record, came);
        foreach (var (what, file) in _files)
        {
            if (what == ArchiveSpec.Raw) file.Write(_lines.Raw());
            else if (_lines.TryDocument(out var document) is { } none) Refuse(record.Offset, none.Code, none.Path, none.Message);
            else file.Write(document);
        }
    }

    private void MakeFiles()
    {
        DiskCalls.Check(_disk.CreateDirectory(_directory), "make the directory", _directory);
        foreach (var what in _spec.What) _files.Add((what, new SpoolFile(_disk, Path.Combine(_directory, $"{_partition}-{what}.spool"))));
    }

    private void Refuse(ulong offset, string cause, string path, string message)
    {
        (path, message) = (Short(path), Short(message));
        if (_noDocument.Count > 0 && _noDocument[^1] is var last && last.To == offset && (last.Cause, last.Path, last.Message) == (cause, path, message))
            _noDocument[^1] = last with { To = offset + 1 };
        else
            _noDocument.Add(new NoDocumentRange(offset, offset + 1, cause, path, message));
    }

    private static string Short(string text) => text.Length <= MostLetters ? text : $"{text[..MostLetters]}…";
}
