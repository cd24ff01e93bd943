using Stoker.Cli;
using Stoker.Estates;
using Stoker.Supervision;
using Stoker.Tests.Estates;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class StatusOrderTests
{
    private const string Estate = """
        groups: {stores: {}, agents: {}}
        services:
          vision: {group: agents, command: python3 vision.py, depends_on: [redis]}
          zookeeper: {group: stores, command: zookeeper}
          migrate: {command: python3 migrate.py}
          redis: {group: stores, command: redis-server}
          speech: {group: agents, command: python3 speech.py}
          collector: {command: otelcol}
        """;

    [Fact]
    public void Services_stand_in_the_order_of_the_file_in_the_document_as_on_the_screen()
    {
        var file = EstateText.Read(Estate).Spec;

        var services = StatusDocument.InOrder(Statuses(file), file.Services.Keys);

        Assert.Equal(["migrate", "collector", "vision", "speech", "zookeeper", "redis"], services.Select(s => s.Name));
        var shown = StatusTable.Rows(new StatusDocument("ai-system", null, services), DateTimeOffset.UnixEpoch).Select(r => r.Row.Heading ?? r.Service!.Name);
        Assert.Equal(["migrate", "collector", "agents", "vision", "speech", "stores", "zookeeper", "redis"], shown);
    }

    [Fact]
    public void What_has_left_the_file_and_still_stops_comes_last_by_name_and_what_is_elsewhere_not_at_all()
    {
        var file = EstateText.Read(Estate).Spec;
        var statuses = Statuses(file);
        foreach (var name in (ServiceName[])[new("old"), new("ancient")]) statuses[name] = new ServiceStatus(name, ServiceState.Stopping, default);
        statuses[new("redis")] = statuses[new("redis")] with { IsRemote = true };

        var services = StatusDocument.InOrder(statuses, file.Services.Keys);

        Assert.Equal(["migrate", "collector", "ancient", "old", "vision", "speech", "zookeeper"], services.Select(s => s.Name));
    }

    /// <summary>As the board has them: by name.</summary>
    private static SortedDictionary<ServiceName, ServiceStatus> Statuses(EstateSpec file) => new(
        file.Services.Values.ToDictionary(s => s.Name, s => new ServiceStatus(s.Name, ServiceState.Running, default) { Group = s.Group?.Value.Value }));
}
