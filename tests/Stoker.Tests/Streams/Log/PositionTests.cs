using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

public sealed class PositionTests
{
    private const string File = "/worker.position";

    [Fact]
    public void A_position_is_the_last_that_was_set()
    {
        var disk = new SimulatedDisk();
        using (var file = PositionFile.Open(disk, File, 5, null, new Position(0, default)))
        {
            for (var i = 1UL; i < 20; i++)
            {
                Assert.Equal(0, file.Set(new Position(i, new RunningHash(i * 7), i * 3, i % 2 == 0)));
                Assert.Equal(new PositionReading.Found(new Position(i, new RunningHash(i * 7), i * 3, i % 2 == 0), i + 1, false), PositionFile.Read(disk, File, 5));
            }
        }

        Assert.IsType<PositionReading.Damaged>(PositionFile.Read(disk, File, 6));
        Assert.IsType<PositionReading.Missing>(PositionFile.Read(disk, "/other.position", 5));
    }

    [Fact]
    public void A_flip_costs_one_step_and_is_told_and_two_are_damage()
    {
        var disk = new SimulatedDisk();
        using (var file = PositionFile.Open(disk, File, 5, null, new Position(0, default)))
        {
            for (var i = 1UL; i < 8; i++) file.Set(new Position(i, default));
        }

        var content = disk.Content(File);
        for (var at = 0; at < content.Length; at++)
        {
            content[at] ^= 16;
            disk.SetContent(File, content);
            var found = Assert.IsType<PositionReading.Found>(PositionFile.Read(disk, File, 5));
            Assert.True(found is { OneSlotIsBad: true, Position.Next: 6 or 7 });
            content[at] ^= 16;
        }

        content[20] ^= 1;
        content[4096 + 20] ^= 1;
        disk.SetContent(File, content);
        Assert.IsType<PositionReading.Damaged>(PositionFile.Read(disk, File, 5));
    }

    [Fact]
    public void After_an_error_the_next_is_set_again()
    {
        var disk = new SimulatedDisk();
        using var file = PositionFile.Open(disk, File, 5, null, new Position(0, default));
        disk.Fault = (call, _, _) => call == DiskCall.Sync ? DiskFault.Broken : null;
        Assert.NotEqual(0, file.Set(new Position(1, default)));
        Assert.Equal(0UL, file.Current.Next);
        disk.Fault = null;
        Assert.Equal(0, file.Set(new Position(2, default)));
        Assert.Equal(2UL, Assert.IsType<PositionReading.Found>(PositionFile.Read(disk.AfterPowerCut(new Random(1)), File, 5)).Position.Next);
    }
}
