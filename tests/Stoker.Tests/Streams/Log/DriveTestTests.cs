using Stoker.Streams.Log;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

public sealed class DriveTestTests
{
    [Theory]
    [InlineData(100, 0, false)]
    [InlineData(2000, 0, false)]
    [InlineData(4000, 1000, false)]
    [InlineData(16_000, 4000, false)]
    [InlineData(40_000, 5000, false)]
    [InlineData(19, 0, true)]
    public void A_slow_drive_makes_commits_wait_and_an_implausibly_fast_one_is_named(int typical, long window, bool early)
    {
        var times = Enumerable.Range(0, 99).Select(i => TimeSpan.FromMicroseconds(typical + (i >= 98 ? typical : 0))).ToList();
        var report = DriveTest.Judge(times, times, DateTimeOffset.UnixEpoch);
        Assert.Equal(new DriveReport(DateTimeOffset.UnixEpoch, typical, typical, typical, typical, window, early), report);
        Assert.Equal(early, report.Words().Contains("may say that something is durable before it is", StringComparison.Ordinal));
    }

    [Fact]
    public void It_is_made_once_and_kept_beside_the_log()
    {
        using var workshop = LogWorkshop.Make(LogWorkshop.Small with { TestsDrive = true });
        var made = workshop.Log!.Drive;
        Assert.NotNull(made);
        Assert.DoesNotContain(workshop.Disk.Files(LogWorkshop.Root), path => path.EndsWith(".tmp", StringComparison.Ordinal));
        workshop.Close();
        workshop.OpenWhole();
        Assert.Equal(made, workshop.Log!.Drive);
        workshop.Close();
        workshop.Disk.SetContent($"{LogWorkshop.Root}/drive.json", "{"u8.ToArray());
        workshop.OpenWhole();
        Assert.Null(workshop.Log!.Drive);
    }
}
