using Stoker.Cli;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class DurationTests
{
    [Theory]
    [InlineData("30s", 30.0)]
    [InlineData("1h30m", 5400.0)]
    [InlineData("1m500ms", 60.5)]
    [InlineData("1.5", 1.5)]
    [InlineData("2d", 172800.0)]
    [InlineData("", null)]
    [InlineData("s", null)]
    [InlineData("5 minutes", null)]
    [InlineData("-5s", null)]
    [InlineData("99999999999999999h", null)]
    public void Durations_are_read_as_Compose_writes_them(string text, double? seconds) => Assert.Equal(seconds, Durations.Parse(text)?.TotalSeconds);

    [Theory]
    [InlineData(-3, "0.0s")]
    [InlineData(0.42, "0.4s")]
    [InlineData(9.96, "9s")]
    [InlineData(59.9, "59s")]
    [InlineData(192, "3m12s")]
    [InlineData(7500, "2h05m")]
    [InlineData(360000, "4d04h")]
    public void Durations_in_tables_take_six_cells_at_most(double seconds, string text) => Assert.Equal(text, Durations.Short(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("10m", "2026-11-21T11:50:00Z")]
    [InlineData("9:05", "2026-11-21T09:05:00Z")]
    [InlineData("2026-11-20T08:00:00+02:00", "2026-11-20T06:00:00Z")]
    [InlineData("2026-11-20", "2026-11-20T00:00:00Z")]
    public void Moments_are_durations_back_times_of_today_or_dates(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected), Moments.Parse(text, new FrozenClock()));

    [Fact]
    public void What_is_none_of_them_is_no_moment() => Assert.Null(Moments.Parse("yesterday", new FrozenClock()));
}
