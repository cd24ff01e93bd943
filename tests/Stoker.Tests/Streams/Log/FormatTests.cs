using System.Numerics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Streams.Log.Format;
using Xunit;

namespace Stoker.Tests.Streams.Log;

/// <summary>What is on disks already must be read for ever: these values never change.</summary>
public sealed class FormatTests
{
    private static readonly LogId Id = new(0x0123456789ABCDEF, 0xFEDCBA9876543210);

    [Theory]
    [InlineData("123456789", 0xE3069283)]
    [InlineData("", 0)]
    [InlineData("a", 0xC1D04330)]
    public void The_checksum_is_the_one_that_everybody_has(string text, uint expected) => Assert.Equal(expected, Crc32C.Of(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void The_checksum_of_any_length_is_that_of_one_byte_after_another()
    {
        var bytes = new byte[10_000];
        new System.Random(1).NextBytes(bytes);
        for (var length = 0; length < bytes.Length; length += 1 + (length / 40))
        {
            var expected = ~bytes.Take(length).Aggregate(uint.MaxValue, BitOperations.Crc32C);
            Assert.Equal(expected, Crc32C.Of(bytes.AsSpan(0, length)));
        }
    }

    [Fact]
    public void The_running_hash_is_what_it_always_was()
    {
        var hash = Id.Start(3);
        Assert.Equal("c2f8735154d8ee6a", $"{hash}");
        hash = hash.Add(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("0123456789", 10))), 17, 42);
        Assert.Equal("8a8743455138e190", $"{hash}");
        Assert.Equal("e2f1a78f84a138e0", $"{hash.Add("abc"u8, -1, 0)}");
        Assert.Equal("47b9fbe05f258e54", $"{hash.AddGap(7)}");
    }

    [Fact]
    public void No_change_of_a_record_keeps_the_running_hash()
    {
        var random = new System.Random(5);
        var seen = new HashSet<RunningHash>();
        for (var length = 0; length < 200; length++)
        {
            var payload = new byte[length];
            random.NextBytes(payload);
            Assert.True(seen.Add(new RunningHash(1).Add(payload, 0, 0)));
            for (var at = 0; at < length; at++)
            {
                payload[at] ^= (byte)(1 << random.Next(8));
                Assert.True(seen.Add(new RunningHash(1).Add(payload, 0, 0)));
            }

            Assert.True(seen.Add(new RunningHash(1).Add(payload, 1, 0)));
            Assert.True(seen.Add(new RunningHash(1).Add(payload, 0, 1)));
            Assert.True(seen.Add(new RunningHash(2).Add(payload, 0, 0)));
        }
    }

    [Fact]
    public void Headers_and_seals_come_back_as_they_went_and_never_with_a_bit_changed()
    {
        var header = new BatchHeader(false, 7, 5000, 1UL << 40, 3, 2, -5, 9, new RunningHash(1), new RunningHash(2), 99, 8192);
        Holds(BatchHeader.Size, header.Write, bytes => BatchHeader.TryRead(bytes, out var read) ? read : null, header);
        var gap = header with { IsGap = true };
        Holds(BatchHeader.Size, gap.Write, bytes => BatchHeader.TryRead(bytes, out var read) ? read : null, gap);
        var segment = new SegmentHeader(Id, 2, 1 << 26, 12345, new RunningHash(77));
        Holds(SegmentHeader.Size, target => segment.ToBytes().CopyTo(target), bytes => SegmentHeader.TryRead(bytes, out var read) ? read : null, segment);
        var seal = new SegmentSeal(5, 1, 100, 9, -3, 44, new RunningHash(1), new RunningHash(2), [new(1, 4096, long.MinValue), new(50, 81920, 3)]);
        var written = seal.ToBytes(90112);
        Assert.Equal(90112, SegmentSeal.PositionFrom(written.AsSpan(^16..)));
        Holds(written.Length, target => written.CopyTo(target), bytes => SegmentSeal.TryRead(bytes, 5, 90112) is { } read ? (read with { Index = [] }, string.Join(' ', read.Index)) : null, (seal with { Index = [] }, string.Join(' ', seal.Index)));
    }

    [Fact]
    public void Random_bytes_are_nothing_and_throw_nothing() => Prop.ForAll<byte[]>(bytes =>
    {
        _ = SegmentSeal.ExtentFrom(bytes);
        return !BatchHeader.TryRead(bytes, out _) && !SegmentHeader.TryRead(bytes, out _) && SegmentSeal.TryRead(bytes, 0, 0) is null
            && Stoker.Streams.Log.Opening.LogIdentity.TryRead(bytes) is null && Stoker.Streams.Log.Positions.PositionSlot.TryRead(bytes, 0) is null;
    }).QuickCheckThrowOnFailure();

    private delegate void SpanAction(Span<byte> target);

    private static void Holds<T>(int size, SpanAction write, Func<byte[], T?> read, T expected)
        where T : struct
    {
        var bytes = new byte[size];
        write(bytes);
        Assert.Equal(expected, read(bytes));
        for (var bit = 0; bit < size * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(read(bytes));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }
}
