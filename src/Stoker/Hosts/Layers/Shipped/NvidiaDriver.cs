using Stoker.Hosts.Checks;
using Stoker.Hosts.Facts;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// NVIDIA's driver from NVIDIA's repository, by the matrix: the first branch that fits the cards, the system and the kernel, and that the repository has. A driver that is there and fits is left.
/// </summary>
internal static class NvidiaDriver
{
    private const string Blacklist = "/etc/modprobe.d/stoker-nouveau.conf";

    private static readonly string[] Keyring = ["dpkg", "-s", "cuda-keyring"];

    public static ShippedLayer Layer { get; } = new(
        "nvidia-driver",
        "NVIDIA's driver by a matrix of card, system and kernel, with the next that fits where one cannot be had",
        [
            new("branch", ParameterKind.Driver, "the driver's branch; default `auto`: the first of the matrix that fits"),
            new("cuda", ParameterKind.OneOf("none", "toolkit"), "whether CUDA's toolkit is installed as well, in the driver's version; default `none`: programs bring their own libraries"),
        ],
        call => new LayerContent(
            [new LayerStep.OnMachine(doors => RepositoryAsync(call, doors)), new LayerStep.OnMachine(doors => DriverAsync(call, doors))],
            [
                call.Check("driver", new CheckSubject.Gpu(Expectation.Parse(">=1", out _)!, null, null, LeastBranch(call), null), "a new driver is loaded by a reboot"),
                call.Check("nouveau", new CheckSubject.File("/sys/module/nouveau", false, null, null, null, null, null, [], null, null), "reboot: nouveau is still loaded"),
            ],
            [ShippedCall.Run("sh", "-c", "command -v update-initramfs >/dev/null || exit 0; update-initramfs -u")]));

    private static Expectation? LeastBranch(ShippedCall call) =>
        Expectation.Parse($">={(call.Text("branch") is { } branch and not "auto" ? branch : "535")}", out _);

    /// <exception cref="LayerFailedException">None fits, with the reason of each.</exception>
    private static async Task<(HostFacts Facts, IReadOnlyList<DriverChoice> Fit)> ChooseAsync(ShippedCall call, LayerDoors doors)
    {
        var facts = await FactsReader.ReadAsync(doors.Machine, []);
        var cards = facts.Gpu.Cards.Where(c => c.Vendor == "NVIDIA" && c.Address is not null).Select(c => c.Model ?? "unknown").ToList();
        int? branch = call.Text("branch") is { } told and not "auto" ? int.Parse(told, System.Globalization.CultureInfo.InvariantCulture) : null;
        var choices = DriverMatrix.Choose(new DriverFacts(cards, SystemOf(facts), facts.Os.Kernel ?? ""), branch);
        if (choices.Fit.Count == 0) throw new LayerFailedException($"no driver of the matrix fits: {string.Join("; ", choices.Refused)}");
        // One that is there and fits is left.
        return (facts, facts.Gpu.Driver is { } there && choices.Fit.Any(c => there.StartsWith($"{c.Row.Branch}.", StringComparison.Ordinal)) ? [] : choices.Fit);
    }

    private static async Task<IReadOnlyList<LayerStep>> RepositoryAsync(ShippedCall call, LayerDoors doors)
    {
        var (facts, fit) = await ChooseAsync(call, doors);
        if (fit.Count == 0) return [];
        var place = $"https://developer.download.nvidia.com/compute/cuda/repos/{DriverMatrix.Repositories[SystemOf(facts)]}/{Architecture(facts)}/cuda-keyring_1.1-1_all.deb";
        return
        [
            ShippedCall.Packages("curl", "ca-certificates", $"linux-headers-{facts.Os.Kernel}"),
            ShippedCall.Run(["sh", "-ec", "cd \"$(mktemp -d)\"; curl -fsSLO \"$1\"; dpkg -i ./*.deb; apt-get update -q", "sh", place], Keyring, ["apt-get", "-y", "purge", "cuda-keyring"]),
            ShippedCall.File(Blacklist, "# Written by Stoker: nouveau keeps the card from NVIDIA's driver.\nblacklist nouveau\noptions nouveau modeset=0\n"),
        ];
    }

    /// <summary>Before the repository is there nobody knows which of them it has: a plan shows the first.</summary>
    private static async Task<IReadOnlyList<LayerStep>> DriverAsync(ShippedCall call, LayerDoors doors)
    {
        var (_, fit) = await ChooseAsync(call, doors);
        if (fit.Count == 0) return [];
        return await doors.SucceedsAsync(Keyring, FactDoors.ToolLimit) ? await PackagesAsync(call, doors, fit) : Install(call, fit[0]);
    }

    private static string SystemOf(HostFacts facts) => $"{facts.Os.Id} {facts.Os.Version}";

    private static string Architecture(HostFacts facts) => facts.Cpu.Architecture is "aarch64" or "arm64" ? "sbsa" : "x86_64";

    private static async Task<IReadOnlyList<LayerStep>> PackagesAsync(ShippedCall call, LayerDoors doors, IReadOnlyList<DriverChoice> fit)
    {
        foreach (var choice in fit)
        {
            if (await doors.SucceedsAsync(["apt-cache", "show", "--no-all-versions", choice.Package], FactDoors.ToolLimit)) return Install(call, choice);
        }

        throw new LayerFailedException($"the repository has none of {string.Join(", ", fit.Select(c => c.Package))}");
    }

    private static IReadOnlyList<LayerStep> Install(ShippedCall call, DriverChoice choice) =>
    [
        ShippedCall.Packages([choice.Package, .. call.Text("cuda") == "toolkit" ? (string[])[$"cuda-toolkit-{choice.Row.Cuda.Replace('.', '-')}"] : []]),
        ShippedCall.Run("sh", "-c", "command -v update-initramfs >/dev/null || exit 0; update-initramfs -u"),
    ];
}
