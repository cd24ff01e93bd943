using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Tests.Cli;

/// <summary>Statuses to show.</summary>
internal static class Sample
{
    public static DateTimeOffset Ago(double seconds) => FrozenClock.Noon - TimeSpan.FromSeconds(seconds);

    public static ServiceDocument Service(string name, ServiceState state, double ago = 192, string? group = null, int? pid = null, params int[] ports) => new(name, state, Ago(ago))
    {
        Group = group,
        Pid = pid,
        Replicas = [new ReplicaDocument(1, state, Ago(ago)) { Pid = pid, Ports = ports, StartedAt = Ago(ago + 0.21), StartTookMs = 210 }],
    };

    public static StatusDocument Estate(params ServiceDocument[] services) => new("ai-system", "mainpc", services);

    /// <summary>Some of everything: groups, a stand-in, replicas, a service in backoff and one that waits for it.</summary>
    public static StatusDocument AiSystem { get; } = Estate(
        Service("migrate", ServiceState.Completed, 4100),
        Service("redis", ServiceState.Backoff, 3, "infra_core", null, 6379) with
        {
            Restarts = 4,
            Reason = "exited with 1: bind: address already in use; next try in 2 s",
        },
        Service("kafka", ServiceState.Healthy, 4000, "infra_core", 813, 9092) with { StandIn = "`kafka-server-start.sh` is not installed" },
        Service("vision", ServiceState.Waiting, 12, "vision_gpu", null, 7300) with { WaitsFor = ["redis"], Gpus = ["0 NVIDIA GeForce RTX 4090"] },
        new ServiceDocument("speech", ServiceState.Healthy, Ago(90061))
        {
            Group = "vision_gpu",
            Pid = 900,
            Replicas =
            [
                new ReplicaDocument(1, ServiceState.Healthy, Ago(90061)) { Pid = 900, Ports = [7310] },
                new ReplicaDocument(2, ServiceState.Starting, Ago(0.4)) { Pid = 901, Ports = [7311], Reason = "connection refused by 127.0.0.1:7311" },
            ],
        });
}
