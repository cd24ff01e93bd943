using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>What everything else stands on: a few packages, and a clock that is kept right.</summary>
internal static class BaseSystem
{
    private static readonly string[] Usual = ["ca-certificates", "curl", "jq"];

    /// <summary>They exclude each other; one that is there keeps the clock as well.</summary>
    private static readonly string[] TimeKeepers = ["systemd-timesyncd", "chrony", "ntpsec", "openntpd"];

    public static ShippedLayer Layer { get; } = new(
        "base-system",
        "packages that everything stands on, and a clock that is kept right",
        [new("packages", ParameterKind.Packages, $"what is installed; default {string.Join(' ', Usual)}")],
        call => new LayerContent(
            [
                ShippedCall.Packages(call.List("packages", Usual)),
                new LayerStep.OnMachine(TimeAsync),
            ],
            [
                .. call.List("packages", Usual).Select(p => call.Check($"package-{p}", new CheckSubject.Package(p, true, null))),
                call.Says("time", ["timedatectl", "show", "-p", "NTP"], "NTP=yes"),
            ],
            []));

    private static async Task<IReadOnlyList<LayerStep>> TimeAsync(LayerDoors doors)
    {
        var installed = await doors.PackagesNowAsync();
        return TimeKeepers.Any(installed.ContainsKey)
            ? []
            : [ShippedCall.Packages("systemd-timesyncd"), ShippedCall.Run(["timedatectl", "set-ntp", "true"], ["sh", "-c", "timedatectl show -p NTP | grep -q NTP=yes"], ["true"])];
    }
}
