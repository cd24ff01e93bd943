using Stoker.Gpus.Diag;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

public sealed class MachineChecksTests
{
    private readonly DiagBed _bed = new();

    [Fact]
    public async Task A_machine_that_is_well_passes_every_check()
    {
        var report = await _bed.LookAsync();
        Assert.Equal(["driver", "nouveau", "library", "kernel_module", "all_cards", "control_device", "memory_device", "visible_cards"], report.Machine.Select(f => f.Check));
        Assert.All(report.Machine, f => Assert.Equal(DiagVerdict.Pass, f.Verdict));
        Assert.Equal((DiagVerdict.Pass, 2), (report.Verdict, report.Gpus.Count));
    }

    [Fact]
    public async Task A_library_of_another_version_than_the_driver_fails()
    {
        _bed.Driver.System = _bed.Driver.System with { Nvml = "13.570.10" };
        var found = await _bed.MachineAsync("library");
        Assert.Equal((DiagVerdict.Fail, "NVML of driver 580.65.06", "13.570.10"), (found.Verdict, found.Expected, found.Found));
        Assert.Contains("restart the machine", found.Mend, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_module_that_is_older_than_the_driver_fails()
    {
        _bed.Files = _bed.Files.Replace("580.65.06", "575.51.03", StringComparison.Ordinal);
        Assert.Equal((DiagVerdict.Fail, "575.51.03"), ((await _bed.MachineAsync("kernel_module")).Verdict, (await _bed.MachineAsync("kernel_module")).Found));
    }

    [Fact]
    public async Task The_module_tells_its_version_in_proc_where_sysfs_has_none()
    {
        _bed.Files = _bed.Files.Replace("== /sys/module/nvidia/version\n580.65.06", "== /proc/driver/nvidia/version\nNVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (root@build)\nGCC version: 12.2.0", StringComparison.Ordinal);
        Assert.Equal((DiagVerdict.Pass, "580.65.06"), ((await _bed.MachineAsync("kernel_module")).Verdict, (await _bed.MachineAsync("kernel_module")).Found));
    }

    [Fact]
    public async Task What_cannot_be_read_is_unknown_and_not_passed()
    {
        _bed.Files = "";
        _bed.Driver.System = _bed.Driver.System with { Nvml = null };
        Assert.Equal(DiagVerdict.Unknown, (await _bed.MachineAsync("kernel_module")).Verdict);
        Assert.Equal(DiagVerdict.Unknown, (await _bed.MachineAsync("library")).Verdict);
        Assert.Equal(DiagVerdict.Unknown, (await _bed.MachineAsync("all_cards")).Verdict);
    }

    [Fact]
    public async Task Nouveau_is_a_warning_and_a_failure_where_it_has_a_card()
    {
        _bed.Files += "\n== /sys/module/nouveau/refcnt\n0";
        Assert.Equal(DiagVerdict.Warn, (await _bed.MachineAsync("nouveau")).Verdict);
        _bed.Files = _bed.Files.Replace("0000:21:00.0/driver\n/sys/bus/pci/drivers/nvidia", "0000:21:00.0/driver\n/sys/bus/pci/drivers/nouveau", StringComparison.Ordinal);
        Assert.Equal((DiagVerdict.Fail, "it drives 0000:21:00.0"), ((await _bed.MachineAsync("nouveau")).Verdict, (await _bed.MachineAsync("nouveau")).Found));
    }

    [Fact]
    public async Task A_card_on_PCI_that_the_driver_does_not_show_fails_and_in_a_container_is_a_warning()
    {
        _bed.Files += "\n== /sys/bus/pci/devices/0000:41:00.0/vendor\n0x10de\n== /sys/bus/pci/devices/0000:41:00.0/class\n0x030000";
        Assert.Equal((DiagVerdict.Fail, "2; not shown: 0000:41:00.0"), ((await _bed.MachineAsync("all_cards")).Verdict, (await _bed.MachineAsync("all_cards")).Found));
        _bed.Files += "\n== /.dockerenv\n";
        Assert.Equal(DiagVerdict.Warn, (await _bed.MachineAsync("all_cards")).Verdict);
        Assert.Contains("Docker", (await _bed.MachineAsync("all_cards")).Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_that_is_handed_to_a_virtual_machine_is_not_missed()
    {
        _bed.Files += "\n== /sys/bus/pci/devices/0000:41:00.0/vendor\n0x10de\n== /sys/bus/pci/devices/0000:41:00.0/class\n0x030000\n== link /sys/bus/pci/devices/0000:41:00.0/driver\n/sys/bus/pci/drivers/vfio-pci";
        Assert.Equal(DiagVerdict.Pass, (await _bed.MachineAsync("all_cards")).Verdict);
    }

    [Theory]
    [InlineData("/dev/nvidiactl", "control_device")]
    [InlineData("/dev/nvidia-uvm", "memory_device")]
    public async Task A_device_that_is_not_there_or_may_not_be_opened_fails(string path, string check)
    {
        _bed.Devices[path] = new DeviceAccess.Absent();
        Assert.Contains("nvidia-modprobe", (await _bed.MachineAsync(check)).Mend, StringComparison.Ordinal);
        Assert.Equal(DiagVerdict.Fail, (await _bed.MachineAsync(check)).Verdict);
        _bed.Devices[path] = new DeviceAccess.Refused("no", ByContainer: true);
        Assert.Contains("container", (await _bed.MachineAsync(check)).Mend, StringComparison.Ordinal);
        _bed.Devices[path] = new DeviceAccess.Refused("no", ByContainer: false);
        Assert.Contains("ls -l", (await _bed.MachineAsync(check)).Mend, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_variable_that_hides_cards_from_CUDA_is_a_warning()
    {
        _bed.Variables["CUDA_VISIBLE_DEVICES"] = "1";
        Assert.Equal((DiagVerdict.Warn, "`1`"), ((await _bed.MachineAsync("visible_cards")).Verdict, (await _bed.MachineAsync("visible_cards")).Found));
    }

    [Fact]
    public async Task Without_a_driver_there_is_nothing_that_could_pass()
    {
        _bed.Opening = new GpuOpening.NotThere();
        var report = await _bed.LookAsync();
        Assert.Equal((DiagVerdict.Fail, 0), (report.Verdict, report.Gpus.Count));
        Assert.Equal("no NVIDIA driver is installed, but for its kernel module; on PCI: 0000:01:00.0 (driven by nvidia), 0000:21:00.0 (driven by nvidia)", report.Machine[0].Found);
    }

    [Fact]
    public async Task A_driver_that_cannot_begin_fails_in_its_own_words()
    {
        _bed.Opening = new GpuOpening.Failed("NVML cannot begin: Driver/library version mismatch (code 18)");
        Assert.Equal((DiagVerdict.Fail, "NVML cannot begin: Driver/library version mismatch (code 18)"), ((await _bed.MachineAsync("driver")).Verdict, (await _bed.MachineAsync("driver")).Found));
    }

    [Fact]
    public async Task Simulated_cards_need_no_module_and_no_devices()
    {
        _bed.Opening = new GpuOpening.Opened(_bed.Cards);
        _bed.Files = "";
        var report = await _bed.LookAsync();
        Assert.Equal(["driver", "nouveau"], report.Machine.Select(f => f.Check));
        Assert.All(report.Gpus, g => Assert.True(g.Simulated));
    }

    [Fact]
    public void A_real_device_is_opened_and_a_missing_one_is_told()
    {
        Assert.IsType<DeviceAccess.Granted>(DeviceFile.Try("/dev/null"));
        Assert.IsType<DeviceAccess.Absent>(DeviceFile.Try("/dev/there-is-no-such-device"));
    }
}
