using Stoker.Estates;
using Stoker.Planning;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>
/// Watches a service of another host by asking its own healthcheck (or a published port) at that host's address, and publishes
/// the answer for those that wait for it. A cut link is indistinguishable from a dead service from here, and is said as what it is:
/// no answer.
/// </summary>
internal sealed class RemoteWatch : IDisposable
{
    /// <summary>While it does not answer it is asked this often, so that dependents start soon after it does.</summary>
    private static readonly TimeSpan SlowestRetry = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _ending = new();

    public static RemoteWatch Begin(ServicePlan plan, SupervisionDoors doors)
    {
        var watch = new RemoteWatch();
        _ = Task.Run(() => watch.RunAsync(plan, doors));
        return watch;
    }

    public void Dispose() => _ending.Cancel();

    private async Task RunAsync(ServicePlan plan, SupervisionDoors doors)
    {
        var check = CheckOf(plan);
        var probe = ProbeFactory.Create(check.Probe, new ProbeTarget(plan.RemoteAddress!, []), check.Timeout, doors.Clock)!;
        var state = ServiceState.Starting;
        var since = doors.Clock.GetUtcNow();
        Publish(plan, doors, state, since, "not asked yet", 0);
        try
        {
            for (var asked = 0; ; asked++)
            {
                var outcome = await probe.AskAsync(_ending.Token);
                var now = outcome.IsHealthy ? ServiceState.Healthy : state == ServiceState.Starting ? ServiceState.Starting : ServiceState.Unhealthy;
                var changed = now != state;
                if (changed) since = doors.Clock.GetUtcNow();
                state = now;
                var sequence = changed
                    ? doors.Journal.Write(plan.Name, null, outcome.IsHealthy ? "became_healthy" : "became_unhealthy", state, $"{plan.Name} on {plan.Host}: {outcome.Detail}", null)
                    : 0;
                Publish(plan, doors, state, since, outcome.Detail, sequence);
                var pause = outcome.IsHealthy ? check.Interval : ProbeSchedule.Next(check with { StartInterval = SlowestRetry }, everHealthy: false, asked, plan.Name.Value);
                await Task.Delay(pause, doors.Clock, _ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody depends on it any more.
        }
    }

    /// <summary>Its own healthcheck where another host can ask it; else its first published port.</summary>
    private static HealthcheckSpec CheckOf(ServicePlan plan)
    {
        if (plan.Spec.Healthcheck is { Probe: ProbeSpec.Http or ProbeSpec.Tcp } own) return own with { Interval = Quicker(own.Interval) };
        var port = plan.Spec.Ports.First(p => p is { Protocol: "tcp", Published: not null });
        return new HealthcheckSpec(new ProbeSpec.Tcp("127.0.0.1", port.Published!.Value), plan.Spec.Where) { Interval = TimeSpan.FromSeconds(5), Timeout = TimeSpan.FromSeconds(5) };
    }

    private static TimeSpan Quicker(TimeSpan interval) => interval < TimeSpan.FromSeconds(5) ? interval : TimeSpan.FromSeconds(5);

    private static void Publish(ServicePlan plan, SupervisionDoors doors, ServiceState state, DateTimeOffset since, string detail, long sequence)
    {
        var status = new ServiceStatus(plan.Name, state, since)
        {
            IsRemote = true, Group = plan.Spec.Group?.Value.Value, Host = plan.Host?.Value, Reason = state == ServiceState.Healthy ? null : detail,
        };
        doors.Board.Publish(status, new PeerView(state, Alive: state == ServiceState.Healthy, Generation: 0, sequence));
    }
}
