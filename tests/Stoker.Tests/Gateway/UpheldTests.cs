using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Gateway;

/// <summary>What goes on beside the requests, however often it fails.</summary>
public sealed class UpheldTests
{
    private readonly List<string> _said = [];
    private int _runs;

    [Fact]
    public async Task What_fails_is_told_and_begins_again()
    {
        await Upheld.RunAsync("watching", _ => ++_runs < 3 ? throw new InvalidOperationException($"bug {_runs}") : Task.CompletedTask, TimeSpan.Zero, _said.Add, TestContext.Current.CancellationToken);

        Assert.Equal(3, _runs);
        Assert.Collection(_said, first => Assert.Contains("watching failed", first), second => Assert.Contains("bug 2", second));
    }

    [Fact]
    public async Task What_is_stopped_ends_without_a_word()
    {
        using var stop = new CancellationTokenSource();
        var running = Upheld.RunAsync("watching", token => Task.Delay(Timeout.Infinite, token), TimeSpan.Zero, _said.Add, stop.Token);
        await stop.CancelAsync();
        await running;

        Assert.Empty(_said);
    }
}
