using System.Buffers;
using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Log.Opening;

/// <summary>Reads a segment through, every byte: what is whole is counted, what is not is named, up to the seal or the end of what was written.</summary>
internal sealed class SegmentScan : IDisposable
{
    private const int Stride = 1 << 20;

    private readonly IDiskFile _file;
    private readonly long _length;
    private readonly ExtentReader _reader;
    private readonly SegmentTally _tally;
    private readonly List<ScanDamage> _damages = [];

    private SegmentScan(IDiskFile file, in SegmentHeader header)
    {
        _file = file;
        _length = file.Length;
        _reader = new ExtentReader(file, header.Tag);
        _tally = new SegmentTally(header);
    }

    public static SegmentScanned Run(IDiskFile file, in SegmentHeader header)
    {
        using var scan = new SegmentScan(file, header);
        return scan.Run();
    }

    public void Dispose() => _reader.Dispose();

    private SegmentScanned Run()
    {
        while (true)
        {
            var at = _tally.Position;
            var extent = _reader.Read(at, _length);
            if (extent.Seal is { } seal) return End(seal, at + SegmentSeal.ExtentFrom(_reader.Bytes));
            if (IsWhole(extent))
            {
                _tally.Add(extent.Header);
                continue;
            }

            var torn = Tail.IsTorn(extent, _reader.Bytes);
            var rest = Search(at);
            if (rest.Next is { } next)
            {
                _damages.Add(new ScanDamage(_tally.NextOffset, next.FirstOffset, at, next.Position, Words(extent)) { Before = _tally.Hash, After = next.Before });
                _tally.Skip(next);
                continue;
            }

            if (rest.Seal is { } later) return EndBehindDamage(later, at, extent);
            return EndOfWritten(extent, torn, rest.Written);
        }
    }

    private bool IsWhole(in Extent extent) => extent.Kind switch
    {
        ExtentKind.Gap => _tally.Continues(extent.Header),
        ExtentKind.Batch => _tally.Continues(extent.Header)
            && BatchRecords.HashOf(_reader.Bytes[BatchHeader.Size..extent.Header.Length], extent.Header.Count, extent.Header.Before) == extent.Header.After,
        _ => false,
    };

    private SegmentScanned End(SegmentSeal seal, long end)
    {
        if (!_tally.Agrees(seal))
        {
            const string words = "the seal tells of other records than there are";
            _damages.Add(new ScanDamage(_tally.NextOffset, seal.NextOffset, _tally.Position, _tally.Position, words) { Before = _tally.Hash });
        }

        return new SegmentScanned(_tally, seal, _damages, end, 0, LastIsDamaged: false);
    }

    private SegmentScanned EndBehindDamage((SegmentSeal Seal, long Position) later, long at, in Extent extent)
    {
        _damages.Add(new ScanDamage(_tally.NextOffset, later.Seal.NextOffset, at, later.Position, Words(extent)) { Before = _tally.Hash, After = later.Seal.Hash });
        return new SegmentScanned(_tally, later.Seal, _damages, later.Position + later.Seal.ToBytes(later.Position).Length, 0, LastIsDamaged: false);
    }

    private SegmentScanned EndOfWritten(in Extent extent, bool torn, long written)
    {
        var at = _tally.Position;
        if (written > at && !torn)
        {
            var isKnown = extent.Header.Count > 0 && _tally.Continues(extent.Header);
            _damages.Add(new ScanDamage(_tally.NextOffset, isKnown ? extent.Header.NextOffset : null, at, Blocks.Up(written), Words(extent))
            {
                Before = _tally.Hash,
                After = isKnown ? extent.Header.After : null,
            });
        }

        return new SegmentScanned(_tally, null, _damages, _length, Math.Max(0, written - at), LastIsDamaged: written > at && !torn);
    }

    /// <summary>Behind a place where nothing whole begins: the next batch that is whole, else the seal, else where the last byte is that is not zero.</summary>
    private (BatchHeader? Next, (SegmentSeal, long)? Seal, long Written) Search(long from)
    {
        var written = from;
        var buffer = ArrayPool<byte>.Shared.Rent(Stride);
        try
        {
            for (var at = from; at < _length; at += Stride)
            {
                var count = _file.ReadAll(at, buffer.AsSpan(0, (int)Math.Min(Stride, _length - at)));
                if (count < 0) continue;
                for (var block = 0; block < count; block += Blocks.Size)
                {
                    var bytes = buffer.AsSpan(block, Math.Min(Blocks.Size, count - block));
                    var last = bytes.LastIndexOfAnyExcept((byte)0);
                    if (last < 0) continue;
                    written = at + block + last + 1;
                    if (at + block == from || !(BatchHeader.TryRead(bytes, out _) || SegmentSeal.ExtentFrom(bytes) > 0)) continue;
                    var extent = _reader.Read(at + block, _length);
                    if (extent.Kind is ExtentKind.Batch or ExtentKind.Gap && extent.Header.FirstOffset >= _tally.NextOffset) return (extent.Header, null, written);
                    if (extent.Seal is { } seal) return (null, (seal, at + block), written);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return (null, null, written);
    }

    private static string Words(in Extent extent) => extent.Kind switch
    {
        ExtentKind.Batch or ExtentKind.Gap => "a batch does not follow on the one before it",
        ExtentKind.BadBody => "the checksum of a batch is wrong",
        ExtentKind.Unreadable => $"it cannot be read: {Errno.Text(extent.Error)}",
        ExtentKind.Seal => "the seal is wrong",
        ExtentKind.NotWritten or ExtentKind.BadHeader or ExtentKind.CutShort => "no batch begins where one must",
    };
}

/// <param name="Seal">Null: it has none.</param>
/// <param name="End">Where the seal ends, or the file.</param>
/// <param name="Torn">Bytes behind the last whole batch that are not zero.</param>
/// <param name="LastIsDamaged">And those were a whole batch once: the last of the damages.</param>
internal sealed record SegmentScanned(SegmentTally Tally, SegmentSeal? Seal, IReadOnlyList<ScanDamage> Damages, long End, long Torn, bool LastIsDamaged);

/// <summary><see cref="LogDamage"/> before it is known to which file and partition it belongs.</summary>
internal sealed record ScanDamage(ulong FirstOffset, ulong? NextOffset, long FromByte, long ToByte, string Words)
{
    /// <summary>The running hash where it begins.</summary>
    public RunningHash Before { get; init; }

    /// <summary>The running hash behind it; null: nobody knows.</summary>
    public RunningHash? After { get; init; }
}
