using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;
using Stoker.Tests.Supervision;
using Xunit;

namespace Stoker.Tests.Daemon;

/// <summary>Of an <c>up</c> and a <c>down</c> the later one holds, and the daemon ends only with a <c>down</c> that held.</summary>
public sealed class WishTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-wish-").FullName;
    private readonly FakeHost _host = new();
    private readonly RunningDaemon _daemon;

    public WishTests()
    {
        File.WriteAllText(Estate, "name: wishes\nservices:\n  app: {command: /bin/true, restart: always}\n");
        _daemon = new RunningDaemon(
            new DaemonOptions(new StateDirectory(_directory), "wishes"), _host.Doors, _host.Supervisor, new CgroupSupport.Unavailable("a test"), AdoptedEstate.Nothing);
    }

    private string Estate => Path.Combine(_directory, "stoker.yaml");

    public void Dispose()
    {
        _daemon.Dispose();
        _host.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_down_ends_the_daemon_when_nothing_runs_any_more()
    {
        await UpAsync();

        Assert.True(await await _daemon.DownAsync("down"));

        Assert.IsType<DaemonEnd.Finished>(await _daemon.Ending.Task);
        Assert.Empty(_host.Living);
        Assert.False(File.Exists(_daemon.Options.State.Applied));
    }

    [Fact]
    public async Task A_down_before_anything_was_applied_ends_the_daemon() => Assert.True(await await _daemon.DownAsync("down"));

    [Fact]
    public async Task An_up_before_all_has_ended_comes_up_and_the_daemon_stays()
    {
        _host.IsStubborn = true;
        await UpAsync();
        await _host.UntilAsync(() => _host.State("app") == ServiceState.Running);
        var down = await _daemon.DownAsync("down");

        await UpAsync();
        _host.Release();

        Assert.False(await down);
        await _host.UntilAsync(() => _host.State("app") == ServiceState.Running);
        Assert.False(_daemon.Ending.Task.IsCompleted);
        Assert.True(File.Exists(_daemon.Options.State.Applied));
        Assert.Equal(["app.1"], _host.Living);
    }

    [Fact]
    public async Task An_up_of_an_estate_without_services_is_a_later_wish_too()
    {
        _host.IsStubborn = true;
        await UpAsync();
        await _host.UntilAsync(() => _host.State("app") == ServiceState.Running);
        var down = await _daemon.DownAsync("down");

        File.WriteAllText(Estate, "name: wishes\nservices: {}\n");
        await UpAsync();
        _host.Release();

        Assert.False(await down);
        Assert.False(_daemon.Ending.Task.IsCompleted);
    }

    [Fact]
    public async Task A_down_after_that_up_ends_the_daemon_and_the_one_before_it_does_not()
    {
        _host.IsStubborn = true;
        await UpAsync();
        await _host.UntilAsync(() => _host.State("app") == ServiceState.Running);
        var first = await _daemon.DownAsync("down");
        await UpAsync();
        var second = await _daemon.DownAsync("down");
        _host.Release();

        await Task.WhenAll(first, second);
        Assert.True(await second);
        Assert.Single(_host.Launched);
    }

    [Fact]
    public async Task What_is_asked_of_a_daemon_that_is_about_to_end_is_refused()
    {
        await UpAsync();
        await await _daemon.DownAsync("down");

        Assert.Null(await _daemon.ApplyAsync(Request));
        Assert.Empty(_host.Living);
    }

    [Fact]
    public async Task A_service_that_is_asked_for_by_name_joins_what_is_wanted_already()
    {
        File.WriteAllText(Estate, "name: wishes\nservices:\n  app: {command: /bin/true}\n  other: {command: /bin/true}\n  extra: {command: /bin/true, profiles: [more]}\n  beside: {command: /bin/true, profiles: [more]}\n");
        await UpAsync();
        await UpAsync("extra");

        Assert.Equal(["app", "extra", "other"], Planned());
        Assert.IsType<RequestOutcome.Accepted>(await _daemon.ScaleAsync(new("app"), 2));
        Assert.Equal(["app", "extra", "other"], Planned());
        Assert.Equal(2, _daemon.Plan!.Services[new("app")].Replicas.Count);
        // What the next daemon would take up.
        Assert.Equal(["app", "extra", "other"], EstateWork.Plan(_daemon.Plan.Estate, _daemon.Request!, Request.Variables, _daemon.Running, new Dictionary<ServiceName, int>()).Services.Keys.Select(n => n.Value).Order());

        await UpAsync();
        Assert.Equal(["app", "other"], Planned());
        await await _daemon.DownAsync("down");
    }

    [Fact]
    public async Task Services_that_are_asked_for_by_name_one_after_the_other_are_wanted_together_and_nothing_else_is()
    {
        File.WriteAllText(Estate, "name: wishes\nservices:\n  app: {command: /bin/true}\n  other: {command: /bin/true, depends_on: [base]}\n  base: {command: /bin/true}\n  third: {command: /bin/true}\n");
        await UpAsync("app");
        await UpAsync("other");
        Assert.Equal(["app", "base", "other"], Planned());

        // The file no longer has one of them: it goes on as it was, and the next wish is not refused for it.
        File.WriteAllText(Estate, "name: wishes\nservices:\n  app: {command: /bin/true}\n  third: {command: /bin/true}\n");
        await UpAsync("third");
        Assert.Equal(["app", "base", "other", "third"], Planned());
        Assert.IsType<RequestOutcome.Refused>(await _daemon.ScaleAsync(new("other"), 2));
    }

    private IEnumerable<string> Planned() => _daemon.Plan!.Services.Keys.Select(n => n.Value).Order();

    private ApplyRequest Request => new([Estate]) { Variables = new Dictionary<string, string> { ["PATH"] = "/bin" } };

    private async Task UpAsync(params string[] names)
    {
        var response = await _daemon.ApplyAsync(Request with { Names = names });
        Assert.True(response?.Accepted, string.Join("\n", response?.Diagnostics.Select(d => d.Message) ?? []));
    }
}
