using Stoker.Hosts.Checks;
using Stoker.Platform;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// Kernel parameters of a host with GPUs and containers. What lists of hardening have and this has not: <c>net.ipv4.ip_forward=0</c> and a strict <c>rp_filter</c> cut containers off,
/// <c>ptrace_scope=2</c> stops profilers and the sharing of memory between processes of one job, <c>kexec_load_disabled</c> cannot be taken back.
/// </summary>
internal static class KernelParameters
{
    private const string Place = "/etc/sysctl.d/60-stoker.conf";

    private static readonly string[] Usual =
    [
        "vm.swappiness=10",
        "fs.protected_hardlinks=1", "fs.protected_symlinks=1", "fs.protected_fifos=1", "fs.protected_regular=2",
        "kernel.kptr_restrict=1", "kernel.dmesg_restrict=1",
        "net.ipv4.conf.all.accept_redirects=0", "net.ipv6.conf.all.accept_redirects=0", "net.ipv4.conf.all.send_redirects=0",
        "net.ipv4.conf.all.rp_filter=2", "net.ipv4.tcp_syncookies=1", "net.core.somaxconn=4096",
    ];

    public static ShippedLayer Layer { get; } = new(
        "sysctl",
        "kernel parameters of a host with GPUs and containers, without those of hardening lists that cut containers off",
        [new("set", ParameterKind.Settings, $"further ones, or others for: {string.Join(", ", Usual)}")],
        call =>
        {
            var settings = Settings(call.List("set"));
            return new LayerContent(
                [
                    ShippedCall.File(Place, $"# Written by Stoker.\n{string.Concat(settings.Select(s => $"{s.Key} = {s.Value}\n"))}"),
                    new LayerStep.OnMachine(_ => Task.FromResult<IReadOnlyList<LayerStep>>([.. settings.Select(Step).OfType<LayerStep>()])),
                ],
                [.. settings.Select(s => call.Check(s.Key, new CheckSubject.KernelParameter(s.Key, Expectation.Parse(s.Value, out _)!)))],
                []);
        });

    /// <summary>One that is told takes the place of the usual.</summary>
    internal static List<KeyValuePair<string, string>> Settings(IReadOnlyList<string> told)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parts in Usual.Concat(told).Select(s => s.Split('=', 2))) settings[parts[0].Replace('/', '.')] = parts[1].Trim();
        return [.. settings];
    }

    /// <summary>A rollback sets what was set before: a file that is gone leaves the kernel as it is.</summary>
    private static LayerStep.Command? Step(KeyValuePair<string, string> setting)
    {
        var now = ProcFile.ReadText($"/proc/sys/{setting.Key.Replace('.', '/')}")?.Trim().Replace('\t', ' ') ?? throw new LayerFailedException($"this kernel has no parameter `{setting.Key}`");
        return now == setting.Value ? null : ShippedCall.Run(["sysctl", "-q", "-w", $"{setting.Key}={setting.Value}"], ["false"], ["sysctl", "-q", "-w", $"{setting.Key}={now}"]);
    }
}
