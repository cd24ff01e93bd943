using Stoker.Estates;
using Stoker.Gateway;
using Stoker.Hosts.Checks;
using Stoker.Hosts.Layers;
using Stoker.Models;
using Stoker.Streams;

namespace Stoker;

/// <summary>
/// The literal list of what stands beside <c>services:</c> in an estate file. To add a section: one line here, and the
/// capability that reads it from <see cref="EstateSpec.Sections"/>. There is no scanning and no plug-in loading.
/// </summary>
internal static class Modules
{
    public static IReadOnlyList<SectionSpec> Sections { get; } =
    [
        ModelsModule.Section,
        GatewayModule.Section,
        StreamsModule.Section,
        new("objectives", "Service level objectives by name: indicator, target and window.", IsActedOn: false),
        new("alerts", "Alerting rules, and who is told.", IsActedOn: false),
        ChecksModule.Section,
        LayersModule.Section,
        new("scenarios", "Loads that can be put on the estate, by name.", IsActedOn: false),
        new("faults", "Failures that can be injected, by name.", IsActedOn: false),
        new("backups", "What is backed up, where to and how often, by name.", IsActedOn: false),
        new("access", "Who may do what: certificate authority, roles and policies.", IsActedOn: false),
        new("costs", "Prices of power and hardware, for the cost of what runs.", IsActedOn: false),
        new("images", "Machine images that are built from the estate, by name.", IsActedOn: false),
        new("exports", "Other formats that the estate is written to, by name.", IsActedOn: false),
        new("agents", "Agents that may operate the estate, and within which bounds.", IsActedOn: false),
        new("dashboard", "The dashboard: where it listens, and what it shows first.", IsActedOn: false),
        new("telemetry", "Where traces, metrics and logs are sent.", IsActedOn: false),
    ];
}
