using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class WhyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 5, 0, TimeSpan.Zero);

    [Fact]
    public void A_chain_leads_from_the_symptom_to_the_stranger_that_holds_the_port()
    {
        var exit = new ExitRecord(ExitStatus.Exited(1), Now.AddSeconds(-20), "bind: address already in use");
        var redis = Status("redis", ServiceState.Backoff, 20) with
        {
            Replicas = [new ReplicaStatus(1, ServiceState.Backoff, Now) { Restarts = 4, LastExit = exit, RetryAt = Now.AddMinutes(2), Ports = [6379] }],
        };
        var vision = Status("vision", ServiceState.Waiting, 65) with { WaitsFor = [new ServiceName("redis")] };

        var chain = Explain("vision", [vision, redis], port => port == 6379 ? "pid 812, nginx" : null);

        Assert.Equal("vision has been waiting for 1 min 5 s for redis", chain[0]);
        Assert.Equal("redis is in backoff (4th try in 2 min)", chain[1]);
        Assert.Matches(@"^it exited with 1 at \d\d:\d\d:40: `bind: address already in use`$", chain[2]);
        Assert.Equal("port 6379 is held by pid 812, nginx", chain[3]);
    }

    [Fact]
    public void What_the_kernel_killed_for_memory_is_said_to_be_out_of_memory()
    {
        var exit = new ExitRecord(ExitStatus.Killed(Signals.Kill), Now.AddSeconds(-20), null, OutOfMemory: true);
        var hog = Status("hog", ServiceState.Failed, 20) with { Replicas = [new ReplicaStatus(1, ServiceState.Failed, Now) { LastExit = exit }] };

        Assert.Matches("^it was killed by SIGKILL, out of memory at ", Explain("hog", [hog])[1]);
    }

    [Fact]
    public void Of_several_dependencies_the_one_in_most_trouble_is_followed()
    {
        var app = Status("app", ServiceState.Waiting, 5) with { WaitsFor = [new ServiceName("slow"), new ServiceName("broken")] };
        var broken = Status("broken", ServiceState.Failed, 3) with { Reason = "could not be started: no such file" };

        var chain = Explain("app", [app, Status("slow", ServiceState.Starting, 5), broken]);

        Assert.Equal(["app has been waiting for 5 s for broken (and 1 more)", "broken has failed", "could not be started: no such file"], chain);
    }

    [Fact]
    public void A_service_of_another_host_is_named_with_its_host()
    {
        var app = Status("app", ServiceState.Waiting, 5) with { WaitsFor = [new ServiceName("db")] };
        var db = Status("db", ServiceState.Unhealthy, 5) with { IsRemote = true, Host = "pc2", Reason = "no answer from 192.168.1.11:5432 within 5 s" };

        Assert.Equal("db on host pc2 is unhealthy for 5 s: no answer from 192.168.1.11:5432 within 5 s", Explain("app", [app, db])[1]);
    }

    [Fact]
    public void A_healthy_service_that_was_restarted_says_why_last()
    {
        var web = Status("web", ServiceState.Healthy, 60) with { Replicas = [new ReplicaStatus(1, ServiceState.Healthy, Now) { Restarts = 2 }] };
        var exited = new EstateEvent(7, Now.AddSeconds(-61), new ServiceName("web"), 1, "exited", null, "web killed by SIGSEGV", null);

        var chain = Why.Explain(new ServiceName("web"), Map([web]), [exited], _ => null, Now).Select(s => s.Text).ToList();

        Assert.Equal("web is healthy for 1 min", chain[0]);
        Assert.Matches(@"^it was restarted 2 times, last because web killed by SIGSEGV at ", chain[1]);
    }

    [Fact]
    public void What_befell_its_GPU_is_part_of_the_chain_for_as_long_as_it_explains_something()
    {
        const string text = "Xid 79 (GPU has fallen off the bus) on GPU 0 (NVIDIA GeForce RTX 4090): vision is stopped";
        EstateEvent Fault(int secondsAgo) => new(7, Now.AddSeconds(-secondsAgo), new ServiceName("vision"), null, "gpu_healing", null, text, null);
        var vision = Status("vision", ServiceState.Stopped, 10) with { Reason = "asked to stop" };

        Assert.Equal(text, Why.Explain(vision.Name, Map([vision]), [Fault(11)], _ => null, Now)[^1].Text.Split(": ", 2)[1]);
        Assert.DoesNotContain(Why.Explain(vision.Name, Map([vision]), [Fault(600)], _ => null, Now), s => s.Text.Contains("Xid", StringComparison.Ordinal));
        Assert.DoesNotContain(Why.Explain(vision.Name, Map([vision]), [Fault(11) with { Service = new ServiceName("other") }], _ => null, Now), s => s.Text.Contains("Xid", StringComparison.Ordinal));
    }

    private static ServiceStatus Status(string name, ServiceState state, int secondsAgo) => new(new ServiceName(name), state, Now.AddSeconds(-secondsAgo));

    private static Dictionary<ServiceName, ServiceStatus> Map(IEnumerable<ServiceStatus> statuses) => statuses.ToDictionary(s => s.Name);

    private static List<string> Explain(string name, IEnumerable<ServiceStatus> statuses, PortHolderLookup? holderOf = null) =>
        [.. Why.Explain(new ServiceName(name), Map(statuses), [], holderOf ?? (_ => null), Now).Select(s => s.Text)];
}
