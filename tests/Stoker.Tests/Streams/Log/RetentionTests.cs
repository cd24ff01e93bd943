using Stoker.Streams.Log;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Positions;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

public sealed class RetentionTests
{
    private static readonly SegmentEntry[] Segments = [.. Enumerable.Range(0, 5).Select(i => new SegmentEntry($"{i}", (ulong)i * 10, (ulong)(i + 1) * 10, i == 4 ? long.MaxValue : i * 100, 1000, new((ulong)i)))];

    [Theory]
    [InlineData(150L, null, null, null, 2)]
    [InlineData(100L, null, null, null, 1)]
    [InlineData(0L, null, null, null, 0)]
    [InlineData(null, 5000L, null, null, 0)]
    [InlineData(null, 4999L, null, null, 1)]
    [InlineData(null, 0L, null, null, 4)]
    [InlineData(null, null, 29UL, null, 2)]
    [InlineData(null, null, 30UL, null, 3)]
    [InlineData(null, null, 1000UL, null, 4)]
    [InlineData(null, 0L, null, 29UL, 2)]
    [InlineData(1000L, 0L, 1000UL, 0UL, 0)]
    [InlineData(100L, 3000L, null, null, 2)]
    [InlineData(null, null, null, null, 0)]
    public void Whole_segments_go_from_the_front_and_never_what_a_consumer_needs(long? before, long? mostBytes, ulong? below, ulong? required, int expected)
    {
        var decision = RetentionPolicy.Decide(Segments, 0, required, new RetentionLimits(before, mostBytes, below));
        Assert.Equal(expected, decision.Segments);
        Assert.Equal((ulong)expected * 10, decision.Begin);
    }

    [Fact]
    public async Task Deleted_records_are_told_to_who_asks_for_them_and_stay_deleted()
    {
        using var workshop = LogWorkshop.Make();
        for (var i = 0; i < 100; i++) workshop.Append($"event {i}");
        using var slow = workshop.Partition.Read(0);

        var begin = await workshop.Partition.TrimAsync(new RetentionLimits(Below: 50));

        Assert.InRange(begin, 30UL, 50UL);
        Assert.Equal(begin, workshop.Partition.BeginOffset);
        Assert.Equal([$"deleted 0-{begin}", $"event {begin}"], workshop.ReadAll().Take(2));
        Assert.Equal(begin, workshop.Partition.Position("new").Current.Next);
        workshop.Close();
        workshop.OpenWhole();
        Assert.Equal($"deleted 0-{begin}", workshop.ReadAll()[0]);
        Assert.Equal(100 - (int)begin + 1, workshop.ReadAll().Count);
    }

    [Fact]
    public async Task A_reader_whose_segment_is_deleted_is_told()
    {
        using var workshop = LogWorkshop.Make();
        for (var i = 0; i < 100; i++) workshop.Append($"event {i}");
        using var reader = workshop.Partition.Read(2);
        using (((Stoker.Streams.Log.Reading.ReadOutcome.Batch)reader.Read()).Value)
        {
            var begin = await workshop.Partition.TrimAsync(new RetentionLimits(MostBytes: 0));
            Assert.Equal(new Stoker.Streams.Log.Reading.ReadOutcome.Deleted(3, begin), reader.Read());
        }
    }

    [Fact]
    public async Task A_required_consumer_holds_everything_that_it_has_not_had()
    {
        using var workshop = LogWorkshop.Make();
        for (var i = 0; i < 100; i++) workshop.Append($"event {i}");
        var position = workshop.Partition.Position("archive");
        Assert.Equal(0, position.Set(new Position(20, default, Required: true)));
        Assert.InRange(await workshop.Partition.TrimAsync(new RetentionLimits(MostBytes: 0)), 1UL, 20UL);
        workshop.Close();
        workshop.OpenWhole();
        Assert.InRange(await workshop.Partition.TrimAsync(new RetentionLimits(MostBytes: 0)), 1UL, 20UL);
        workshop.Partition.Position("archive").Set(new Position(100, default, Required: true));
        Assert.InRange(await workshop.Partition.TrimAsync(new RetentionLimits(MostBytes: 0)), 85UL, 100UL);
    }
}
