using Stoker.Hosts.Facts;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Hosts.Facts;

/// <summary>Facts of machines that were written down, each of another kind.</summary>
public sealed class MachineTests
{
    private static HostFacts Desktop { get; } = CapturedMachine.Load("desktop").With("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", [6, 0, 0, 0, 1])
        .With("/sys/firmware/dmi/tables/DMI",
        [
            .. SmbiosBytes.Array(3), .. SmbiosBytes.Module("DIMM_A1", 0, 0x22, 0, 0, "Unknown", "NO DIMM"), .. SmbiosBytes.Module("DIMM_A2", 32768, 0x22, 4800, 6000, "G Skill Intl", "F5-6000J3238G32G"),
            .. SmbiosBytes.Module("DIMM_B2", 32768, 0x22, 4800, 6000, "G Skill Intl", "F5-6000J3238G32G"), .. SmbiosBytes.End,
        ]).Also(m => m.Nvml = new NvmlAnswer.Found(1, [new NvmlCard(0) { Name = "NVIDIA GeForce RTX 4090", Uuid = "GPU-4e3a1c52-0000-4000-8000-000000000001", TotalMemory = 25757220864, Celsius = 41, Watts = 23.4 }], []) { Driver = "560.35.03", Cuda = "12.6" }).Facts;

    private static HostFacts Server { get; } = CapturedMachine.Load("server").Also(m => m.Nvml = new NvmlAnswer.Found(
        2,
        [
            new NvmlCard(0) { Name = "NVIDIA A100-SXM4-80GB", Uuid = "GPU-a1000000-0000-4000-8000-0000000000ca", TotalMemory = 85899345920 },
            new NvmlCard(1) { Name = "NVIDIA A100-SXM4-80GB", Uuid = "GPU-a1000000-0000-4000-8000-000000000017", TotalMemory = 85899345920 },
        ],
        [])).Facts;

    private static HostFacts Jetson { get; } = CapturedMachine.Load("jetson").Facts;

    private static HostFacts Small { get; } = CapturedMachine.Load("vm").Facts;

    private static HostFacts Container { get; } = CapturedMachine.Load("container").Facts;

    [Fact]
    public void Threads_of_one_core_are_counted_once_as_cores()
    {
        Assert.Equal((1, 16, 32), (Desktop.Cpu.Sockets, Desktop.Cpu.Cores, Desktop.Cpu.Threads));
        Assert.Equal(["performance", "powersave"], Desktop.Cpu.Governors);
        Assert.Equal(5881, Desktop.Cpu.MaxMhz);
        Assert.Equal("0xa601206", Desktop.Cpu.Microcode);
        Assert.Contains("avx512f", Desktop.Cpu.Flags);
    }

    [Fact]
    public void Processors_that_are_offline_are_not_counted() => Assert.Equal((2, 64, 127), (Server.Cpu.Sockets, Server.Cpu.Cores, Server.Cpu.Threads));

    [Fact]
    public void A_core_of_arm64_is_named_by_its_design_and_its_microcode_is_unknown_with_the_reason()
    {
        Assert.Equal(("Cortex-A78AE", "ARM", "aarch64"), (Jetson.Cpu.Model, Jetson.Cpu.Vendor, Jetson.Cpu.Architecture));
        Assert.Equal((1, 12, 12), (Jetson.Cpu.Sockets, Jetson.Cpu.Cores, Jetson.Cpu.Threads));
        Assert.Contains("asimd", Jetson.Cpu.Flags);
        Assert.Contains(Jetson.Unknown, u => u is { Fact: "cpu.microcode", Why: "arm64 kernels do not tell it" });
    }

    [Fact]
    public void Modules_of_memory_are_read_from_the_firmware_and_empty_slots_left_out()
    {
        var memory = Desktop.Memory;
        Assert.Equal(64L << 30, memory.Installed);
        Assert.Equal(("DDR5", 6000, "none"), (memory.Kind, memory.SpeedMts, memory.Ecc));
        Assert.Equal(["DIMM_A2", "DIMM_B2"], memory.Modules.Select(m => m.Slot));
        Assert.Equal("F5-6000J3238G32G", memory.Modules[0].Part);
        Assert.Equal(new HugePages(2 << 20, 512, 500), Assert.Single(memory.HugePages));
    }

    [Fact]
    public void Without_root_what_the_firmware_tells_is_unknown_and_counted_errors_show_that_memory_is_corrected()
    {
        Assert.Null(Server.Memory.Installed);
        Assert.Equal((4, 0, "errors are counted"), (Server.Memory.CorrectedErrors, Server.Memory.UncorrectedErrors, Server.Memory.Ecc));
        Assert.Contains(Server.Unknown, u => u is { Fact: "memory.speed_mts", Why: "`/sys/firmware/dmi/tables/DMI` may not be read without root" });
        Assert.Contains(Server.Unknown, u => u.Fact == "os.secure_boot" && u.Why.EndsWith("may not be read without root", StringComparison.Ordinal));
    }

    [Fact]
    public void Nodes_have_their_processors_memory_and_distances()
    {
        Assert.Equal([0, 1], Server.Numa.Select(n => n.Node));
        Assert.Equal("0-31,64-95", Server.Numa[0].Cpus);
        Assert.Equal(527914000L * 1024, Server.Numa[0].Memory);
        Assert.Equal([20, 10], Server.Numa[1].Distances);
    }

    [Fact]
    public void A_disk_is_what_the_kernel_knows_of_it_and_says_how_it_is_itself()
    {
        var nvme = Desktop.Disks.Single(d => d.Name == "nvme0n1");
        Assert.Equal(("nvme", "pcie", 3907029168L * 512, "Samsung SSD 990 PRO 2TB", "passed"), (nvme.Kind, nvme.Link, nvme.Size, nvme.Model, nvme.Health));
        Assert.Equal(["nvme0n1p1", "nvme0n1p2"], nvme.Partitions.Select(p => p.Name));
        var old = Desktop.Disks.Single(d => d.Name == "sda");
        Assert.Equal(("hdd", "sata", "failed!"), (old.Kind, old.Link, old.Health));
        Assert.True(Desktop.Disks.Single(d => d.Name == "sdb") is { Link: "usb", Removable: true, Health: null });
        Assert.Contains(Desktop.Unknown, u => u.Fact == "disks.sdb.health");
        Assert.Equal("luks-root (encrypted)", Desktop.Disks.Single(d => d.Name == "dm-0").Mapping);
        Assert.DoesNotContain(Desktop.Disks, d => d.Name == "loop0");
    }

    [Fact]
    public void A_disk_of_a_virtual_machine_is_virtual_whatever_it_says_of_turning() => Assert.True(Small.Disks is [{ Name: "vda", Kind: "virtual", Link: "virtio", Health: null }]);

    [Fact]
    public void A_raid_that_lost_a_disk_says_so() => Assert.Equal("raid1 degraded: 1 of 2 disks missing", Server.Disks.Single(d => d.Name == "md127").Health);

    [Fact]
    public void Mounts_are_those_that_hold_something_and_of_two_at_one_place_the_upper()
    {
        Assert.Equal(["/", "/mnt/my models", "/mnt/old"], Desktop.Mounts.Select(m => m.Path).Order());
        Assert.Equal(("nfs4", "nas:/old"), Desktop.Mounts.Where(m => m.Path == "/mnt/old").Select(m => (m.Type, m.Source)).Single());
        var models = Desktop.Mounts.Single(m => m.Path == "/mnt/my models");
        Assert.Equal((16000900661248, 9000000000000), (models.Size, models.Free));
        Assert.Contains("noatime", models.Options);
        Assert.Equal(["/"], Small.Mounts.Select(m => m.Path));
    }

    [Fact]
    public void Links_have_kind_speed_driver_and_addresses()
    {
        var wire = Desktop.Network.Links.Single(l => l.Name == "enp9s0");
        Assert.Equal(("ethernet", "up", 10000, "full", 9000, "atlantic"), (wire.Kind, wire.State, wire.SpeedMbits, wire.Duplex, wire.Mtu, wire.Driver));
        Assert.Equal(["192.168.1.10/24"], wire.Addresses);
        Assert.Equal(["bridge", "ethernet", "loopback", "wlan"], Desktop.Network.Links.Select(l => l.Kind).Order());
        Assert.Equal(200000, Server.Network.Links.Single(l => l.Kind == "bond").SpeedMbits);
        Assert.Null(Server.Network.Links.Single(l => l.Name == "eno1").SpeedMbits);
        Assert.Contains(Small.Unknown, u => u.Fact == "network.links.eth0.speed_mbits");
    }

    [Fact]
    public void Routes_of_both_versions_are_read_and_the_kernels_own_left_out()
    {
        Assert.Equal(
            [new("default", "192.0.2.1", "eth0", 0), new("192.0.2.0/24", null, "eth0", 0), new("fd00::/64", null, "eth0", 256), new("default", "fd00::1", "eth0", 1024)],
            Small.Network.Routes);
        Assert.Equal(["default", "192.168.1.0/24", "fe80::/64"], Desktop.Network.Routes.Select(r => r.To));
    }

    [Fact]
    public void Names_are_looked_up_where_the_system_says()
    {
        Assert.Equal(["files", "mdns4_minimal", "dns"], Desktop.Network.Names.Sources);
        Assert.Equal(["10.0.1.53", "10.0.2.53"], Server.Network.Names.Servers);
        Assert.Equal(["lab.example", "example"], Server.Network.Names.Search);
        Assert.Contains(Container.Unknown, u => u is { Fact: "network.names.servers", Why: "`/etc/resolv.conf` cannot be read: Input/output error" });
    }

    [Fact]
    public void A_machine_of_its_own_a_virtual_one_and_a_container_are_told_apart()
    {
        Assert.Equal(("none", null), (Desktop.Machine.Virtualisation, Desktop.Machine.Container));
        Assert.Equal(("none", null), (Server.Machine.Virtualisation, Server.Machine.Container));
        Assert.Equal(("kvm", null), (Small.Machine.Virtualisation, Small.Machine.Container));
        Assert.Equal("podman", Container.Machine.Container);
        Assert.Equal("NVIDIA Jetson AGX Orin Developer Kit", Jetson.Machine.Product);
    }

    [Theory]
    [InlineData("QEMU", "Standard PC (Q35 + ICH9, 2009)", null, "qemu")]
    [InlineData("Amazon EC2", "g5.xlarge", null, "amazon")]
    [InlineData("Amazon EC2", "p4d.metal", null, "none")]
    [InlineData("Microsoft Corporation", "Virtual Machine", "Microsoft Hv", "microsoft")]
    [InlineData("Google", "Google Compute Engine", "KVMKVMKVM", "google")]
    [InlineData("innotek GmbH", "VirtualBox", "VBoxVBoxVBox", "oracle")]
    [InlineData("VMware, Inc.", "VMware7,1", "VMwareVMware", "vmware")]
    [InlineData("Maker", "Box", "NewHypervis", "NewHypervis")]
    public void Who_runs_a_virtual_machine_is_told_by_firmware_or_processor(string vendor, string product, string? signature, string expected)
    {
        var tree = CapturedMachine.Parse($"== /sys/class/dmi/id/sys_vendor\n{vendor}\n== /sys/class/dmi/id/product_name\n{product}\n");
        Assert.Equal(expected, MachineReader.Read(new FactSource(tree), signature).Virtualisation);
    }

    [Fact]
    public void System_boot_and_what_waits_for_a_reboot_are_told()
    {
        Assert.True(Desktop.Os is { Name: "Ubuntu 24.04.1 LTS", Id: "ubuntu", Version: "24.04", Boot: "uefi", SecureBoot: true, RebootRequired: true, Init: "systemd", UptimeSeconds: 93784.21 });
        Assert.True(Jetson.Os is { Boot: "device tree", SecureBoot: null, RebootRequired: false });
    }

    [Fact]
    public void Sensors_have_their_unit_and_where_they_become_critical()
    {
        Assert.Contains(new SensorReading("k10temp", "Tctl", "temperature", 54.375, null), Desktop.Sensors);
        Assert.Contains(new SensorReading("nvme", "temp1", "temperature", 44.85, 84.85), Desktop.Sensors);
        Assert.Contains(new SensorReading("nct6799", "fan2", "fan", 1034, null), Desktop.Sensors);
        Assert.Contains(new SensorReading("nct6799", "in0", "voltage", 1.048, null), Desktop.Sensors);
        Assert.Equal([new("thermal_zone0", "cpu-thermal", "temperature", 48.468, 104.5)], Jetson.Sensors);
    }

    [Fact]
    public void Supplies_and_limits_of_power_are_told()
    {
        Assert.Equal([new("ups0", "UPS", "online", 98)], Desktop.Power.Supplies);
        Assert.Equal([new("package-0", 170)], Desktop.Power.Limits);
        Assert.Equal([new("BAT0", "Battery", "Discharging", 71)], Container.Power.Supplies);
    }

    [Fact]
    public void A_card_is_what_NVML_and_the_bus_say_of_it_together()
    {
        var card = Desktop.Gpu.Cards.Single(c => c.Uuid is not null);
        Assert.Equal(("0000:01:00.0", "NVIDIA GeForce RTX 4090", "nvidia", "2.5 GT/s x16", "16.0 GT/s x16"), (card.Address, card.Model, card.Driver, card.Link, card.LinkMax));
        Assert.Equal((null, null, "95.02.18.80.87"), (card.Ecc, card.UncorrectedErrors, card.Firmware));
        Assert.Equal(("560.35.03", "12.6", "12.4.1", "1.16.2-1"), (Desktop.Gpu.Driver, Desktop.Gpu.Cuda, Desktop.Gpu.CudaToolkit, Desktop.Gpu.ContainerToolkit));
        Assert.Equal(["cdi", "docker runtime"], Desktop.Gpu.ContainerAccess);
        // One that was given to a virtual machine is not NVML's, and there all the same.
        Assert.True(Desktop.Gpu.Cards.Single(c => c.Uuid is null) is { Address: "0000:03:00.0", Model: "GA106 [GeForce RTX 3060 Lite Hash Rate]", Driver: "vfio-pci" });
    }

    [Fact]
    public void Cards_are_told_apart_by_their_uuid_and_not_by_their_order()
    {
        Assert.Equal(["0000:ca:00.0", "0000:17:00.0"], Server.Gpu.Cards.Select(c => c.Address));
        Assert.Equal([1, 0], Server.Gpu.Cards.Select(c => c.NumaNode));
        Assert.Equal([("on", 2L), ("on", 0L)], Server.Gpu.Cards.Select(c => (c.Ecc, c.UncorrectedErrors ?? -1)));
    }

    [Fact]
    public void A_card_without_a_driver_is_shown_with_that_reason()
    {
        var facts = CapturedMachine.Load("desktop").Facts;
        Assert.Equal(2, facts.Gpu.Cards.Count);
        Assert.Contains(facts.Unknown, u => u is { Fact: "gpu.driver", Why: "the kernel has NVIDIA's driver, and its library `libnvidia-ml.so.1` is not installed" });
        var bare = CapturedMachine.Parse("== /sys/bus/pci/devices/0000:01:00.0/class\n0x030000\n== /sys/bus/pci/devices/0000:01:00.0/vendor\n0x10de\n").Facts;
        Assert.Contains(bare.Unknown, u => u is { Fact: "gpu.driver", Why: "NVIDIA's driver is not installed, which 0000:01:00.0 needs" });
    }

    [Fact]
    public void The_GPU_of_a_Jetson_is_on_its_chip() => Assert.True(Jetson.Gpu.Cards is [{ Address: null, Model: "Orin (integrated, shares the main memory)", Driver: "nvgpu" }]);

    [Fact]
    public void Versions_of_runtimes_come_from_packages_or_from_themselves()
    {
        Assert.Equal([new("docker", "/opt/tools/docker", "27.3.1"), new("podman", "/opt/tools/podman", "4.9.3")], Desktop.Runtimes);
        Assert.Contains(Container.Unknown, u => u is { Fact: "packages", Why: "`/var/lib/dpkg/status` may not be read without root" });
    }

    [Fact]
    public void Environments_of_Python_have_their_frameworks_and_the_CUDA_that_these_were_built_for()
    {
        var found = Desktop.Python.ToDictionary(p => p.Path);
        Assert.Equal(["/home/ada/miniconda3/envs/old", "/home/ada/vllm/.venv", "/usr"], found.Keys.Order());
        Assert.Equal([new("numpy", "1.26.4", null)], found["/usr"].Frameworks);
        var venv = found["/home/ada/vllm/.venv"];
        Assert.Equal(("venv", "3.12.3"), (venv.Kind, venv.Version));
        Assert.Equal([new("flash-attn", "2.6.3", null), new("torch", "2.4.0+cu121", "12.1"), new("vllm", "0.6.2", null)], venv.Frameworks);
        var conda = found["/home/ada/miniconda3/envs/old"];
        Assert.Equal(("conda", "3.10.14"), (conda.Kind, conda.Version));
        Assert.Equal([new("torch", "2.1.0", "11.8")], conda.Frameworks);
    }

    [Theory]
    [InlineData("desktop")]
    [InlineData("server")]
    [InlineData("jetson")]
    [InlineData("vm")]
    [InlineData("container")]
    public void What_is_null_in_a_part_of_the_facts_has_a_reason(string machine)
    {
        var facts = CapturedMachine.Load(machine).Facts;
        if (facts.Cpu.Microcode is null) Assert.Contains(facts.Unknown, u => u.Fact == "cpu.microcode");
        if (facts.Cpu.Governors.Count == 0) Assert.Contains(facts.Unknown, u => u.Fact == "cpu.governors");
        if (facts.Cpu.Sockets is null) Assert.Contains(facts.Unknown, u => u.Fact == "cpu.sockets");
        if (facts.Memory.Installed is null) Assert.Contains(facts.Unknown, u => u.Fact == "memory.installed");
        if (facts.Memory.CorrectedErrors is null) Assert.Contains(facts.Unknown, u => u.Fact == "memory.corrected_errors");
        if (facts.Numa.Count == 0) Assert.Contains(facts.Unknown, u => u.Fact == "numa");
        if (facts.Disks.Count == 0) Assert.Contains(facts.Unknown, u => u.Fact == "disks");
        if (facts.Sensors.Count == 0) Assert.Contains(facts.Unknown, u => u.Fact == "sensors");
        if (facts.Gpu.Driver is null) Assert.Contains(facts.Unknown, u => u.Fact == "gpu.driver");
        if (facts.Power.Limits.Count == 0) Assert.Contains(facts.Unknown, u => u.Fact == "power.limits");
        Assert.All(facts.Unknown, u => Assert.True(u.Why.Length > 5, u.Fact));
    }

    [Fact]
    public void A_machine_that_shows_nothing_at_all_is_all_unknown_and_no_failure()
    {
        var facts = CapturedMachine.Parse("").Facts;
        Assert.Null(facts.Cpu.Model);
        Assert.Null(facts.Memory.Total);
        Assert.Empty(facts.Disks);
        Assert.Contains(facts.Unknown, u => u.Fact == "memory.total");
    }

    /// <summary>Files of a machine with lines lost, cut and mixed up: facts may then be missing or wrong, and nothing breaks.</summary>
    [Theory]
    [InlineData("desktop")]
    [InlineData("server")]
    [InlineData("jetson")]
    public void A_machine_whose_files_are_damaged_is_still_read(string machine)
    {
        var lines = CapturedMachine.Source(machine).Split('\n');
        for (var seed = 1; seed <= 40; seed++)
        {
            var random = new Random(seed);
            var damaged = lines.Select(line => line.StartsWith("== ", StringComparison.Ordinal) || line.StartsWith('#') ? line : random.Next(6) switch
            {
                0 => "",
                1 => line[..random.Next(line.Length + 1)],
                2 => new string([.. line.Select(c => char.IsDigit(c) ? (char)('0' + random.Next(10)) : c)]),
                3 => string.Concat(Enumerable.Repeat(line, 3)),
                4 => "\u0000-99999999999999999999:=/\\",
                _ => line,
            });
            var bytes = new byte[random.Next(300)];
            random.NextBytes(bytes);
            var facts = CapturedMachine.Parse(string.Join('\n', damaged), isDamaged: true).With("/sys/firmware/dmi/tables/DMI", bytes).Facts;
            Assert.NotNull(facts.Cpu);
        }
    }

    [Fact]
    public void A_library_that_fails_is_said_and_takes_nothing_else_with_it()
    {
        var facts = CapturedMachine.Load("server").Also(m => m.Nvml = new NvmlAnswer.Failed("NVML cannot begin: Driver/library version mismatch (code 18)")).Facts;
        Assert.Contains(facts.Unknown, u => u is { Fact: "gpu.driver", Why: "NVML cannot begin: Driver/library version mismatch (code 18)" });
        Assert.Equal(2, facts.Gpu.Cards.Count);
        Assert.Equal(127, facts.Cpu.Threads);
    }
}

internal static class CapturedMachines
{
    public static CapturedMachine Also(this CapturedMachine machine, Action<CapturedMachine> change)
    {
        change(machine);
        return machine;
    }
}
