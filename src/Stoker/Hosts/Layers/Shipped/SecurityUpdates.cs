using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// Security updates come by themselves; NVIDIA's driver does not, because a library that is newer than the module in the kernel leaves every program without its GPU until a reboot
/// (https://github.com/oddmario/NVIDIA-Ubuntu-Driver-Guide/issues/4), and nor does a kernel where a driver is installed, for which its module may not build
/// (https://github.com/NVIDIA/nvidia-docker/issues/804).
/// </summary>
internal static class SecurityUpdates
{
    private const string Place = "/etc/apt/apt.conf.d/52stoker-updates";

    private static readonly string[] Drivers =
    [
        "nvidia-", "libnvidia-", "xserver-xorg-video-nvidia", "linux-modules-nvidia-", "linux-objects-nvidia-", "linux-signatures-nvidia-",
        "cuda-drivers", "libcuda1", "libnvcuvid", "libxnvctrl",
    ];

    public static ShippedLayer Layer { get; } = new(
        "security-updates",
        "security updates come by themselves, but not NVIDIA's driver, nor a kernel beside it; nothing reboots by itself",
        [
            new("hold", ParameterKind.Packages, "further packages that are not updated by themselves; default none"),
            new("kernel", ParameterKind.OneOf("auto", "hold", "update"), "whether kernels are held; default `auto`: where a driver of NVIDIA's is installed"),
        ],
        call => new LayerContent(
            [
                ShippedCall.Packages("unattended-upgrades"),
                new LayerStep.OnMachine(doors => StepsAsync(call, doors)),
            ],
            [
                call.Says("every-day", ["apt-config", "dump", "APT::Periodic::Unattended-Upgrade"], "\"1\""),
                call.Says("driver-held", ["apt-config", "dump", "Unattended-Upgrade::Package-Blacklist"], "nvidia-"),
                call.Service("timer", "apt-daily-upgrade.timer", isEnabled: true),
                call.Check("installed", new CheckSubject.Package("unattended-upgrades", true, null)),
            ],
            []));

    private static async Task<IReadOnlyList<LayerStep>> StepsAsync(ShippedCall call, LayerDoors doors)
    {
        var installed = await doors.PackagesNowAsync();
        var ours = installed.Keys
            .Where(p => Drivers.Any(d => p.StartsWith(d, StringComparison.Ordinal)) && !p.StartsWith("nvidia-container", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        var kernel = call.Text("kernel") is "hold" || (call.Text("kernel") is not "update" && ours.Count > 0);
        List<string> held =
        [
            .. Drivers.Select(d => $"^{d}"),
            .. kernel ? (string[])["^linux-image-", "^linux-headers-"] : [],
            .. call.List("hold").Select(p => $"^{p.Replace("+", "\\\\+", StringComparison.Ordinal)}$"),
        ];
        var steps = new List<LayerStep> { ShippedCall.File(Place, Text(held)) };
        if (ours.Count > 0)
        {
            const string areHeld = "held=$(apt-mark showhold); for p; do echo \"$held\" | grep -qx \"$p\" || exit 1; done";
            steps.Add(ShippedCall.Run(["apt-mark", "hold", .. ours], ["sh", "-c", areHeld, "sh", .. ours], ["apt-mark", "unhold", .. ours]));
        }

        return steps;
    }

    private static string Text(IReadOnlyList<string> held) => $$"""
        // Written by Stoker.
        APT::Periodic::Update-Package-Lists "1";
        APT::Periodic::Unattended-Upgrade "1";
        Unattended-Upgrade::Automatic-Reboot "false";
        Unattended-Upgrade::Package-Blacklist {
        {{string.Join('\n', held.Select(h => $"  \"{h}\";"))}}
        };

        """;
}
