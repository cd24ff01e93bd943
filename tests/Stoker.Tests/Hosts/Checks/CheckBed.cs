using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Keys;
using Stoker.Estates.Yaml;
using Stoker.Hosts.Checks;
using Stoker.Hosts.Facts;
using Stoker.Platform;

using Xunit;

namespace Stoker.Tests.Hosts.Checks;

/// <summary>Checks from YAML, made on this machine or on one that was written down.</summary>
internal static class CheckBed
{
    public static FactDoors Here { get; } = FactDoors.Of(HostEnvironment.Variables, TimeProvider.System);

    public static IReadOnlyList<CheckSpec> Read(string yaml)
    {
        var bag = new DiagnosticBag();
        var root = NodeParser.Parse(yaml, "checks.yaml", bag)!.Root;
        new ShapeCheck(bag).Check(root, CheckKeys.Checks, KeyPath.Root.Key("checks"));
        var reader = new CheckReader((path, _) => path, bag);
        var checks = reader.Read(root, "checks");
        reader.CheckNeeds(checks);
        Assert.Empty(bag);
        return checks;
    }

    public static async Task<IReadOnlyDictionary<string, CheckResult>> MakeAsync(string yaml, FactDoors? machine = null) =>
        (await new CheckRun(machine ?? Here, TimeProvider.System).MakeAsync(Read(yaml), budget: null, TestContext.Current.CancellationToken)).ToDictionary(r => r.Name);

    /// <summary>The one check of a line.</summary>
    public static async Task<CheckResult> OneAsync(string check, FactDoors? machine = null) => (await MakeAsync($"it: {check}", machine))["it"];
}
