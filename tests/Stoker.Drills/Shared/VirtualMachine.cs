using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Stoker.Drills.Shared;

/// <summary>
/// A Debian 12 in QEMU with systemd, cgroup version 2 and the program in <c>/opt/stoker</c> (and on PATH): a machine of its own, to
/// be limited, filled up and set to another day. Boots from <see cref="MachineImage"/> in half a minute, without KVM; what it writes to
/// its disk is gone with it. Commands run there as root, over SSH on a port of the loopback.
/// </summary>
/// <remarks>As a class fixture it is booted by the first test that asks it for something.</remarks>
public sealed class VirtualMachine : IDisposable
{
    private readonly string _place = Directory.CreateTempSubdirectory("stoker-vm-").FullName;
    private readonly int _port = FreePorts.Take();
    private Process? _machine;

    /// <summary>Why no machine can be had here; null when it can.</summary>
    public static string? Missing => MachineImage.Missing;

    /// <summary>Runs a shell script there.</summary>
    /// <param name="limit">Default: three minutes. Everything is some ten times slower than outside.</param>
    public Ran Run(string script, TimeSpan? limit = null)
    {
        if (_machine is null) Boot();
        return Shell(script, limit ?? TimeSpan.FromMinutes(3)) ?? throw new TimeoutException($"not done within {limit}: {script}\n{Console()}");
    }

    public void Write(string path, string text) => Run($"mkdir -p '{Path.GetDirectoryName(path)}'; cat >'{path}' <<'END-OF-FILE'\n{text}\nEND-OF-FILE\n").Succeeded();

    /// <summary>Waits for a level, never for an edge: asks there until the script succeeds.</summary>
    /// <param name="evidence">A script whose output is told when it does not.</param>
    public void Until(string what, string script, TimeSpan? limit = null, string? evidence = null)
    {
        var seconds = (int)(limit ?? TimeSpan.FromSeconds(90)).TotalSeconds;
        // Counted there by a clock that nobody sets.
        var asked = Run(string.Create(CultureInfo.InvariantCulture, $$"""
            now() { cut -d. -f1 /proc/uptime; }
            end=$(( $(now) + {{seconds}} ))
            until ( {{script}}
            ); do
              [ "$(now)" -lt "$end" ] || exit 99
              sleep 0.2
            done
            """), TimeSpan.FromSeconds(seconds + 60));
        Assert.True(asked.Code == 0, $"not within {seconds} s: {what}\n{asked.Output}{asked.Errors}{(asked.Code == 0 || evidence is null ? "" : Run(evidence).Output)}");
    }

    public void Dispose()
    {
        if (_machine is { } machine)
        {
            machine.StandardInput.Close();
            machine.WaitForExit();
            machine.Dispose();
        }

        Directory.Delete(_place, recursive: true);
    }

    private void Boot()
    {
        var image = MachineImage.Current;
        string[] words =
        [
            "-machine", "q35,accel=tcg", "-cpu", "max", "-smp", "2", "-m", "2048", "-nodefaults", "-no-reboot", "-display", "none",
            "-serial", $"file:{_place}/console",
            "-kernel", $"{image.System}/kernel", "-initrd", $"{image.System}/initrd", "-append", "root=/dev/vda rw console=ttyS0 quiet",
            "-drive", $"file={image.System}/disk.img,if=virtio,format=raw,snapshot=on",
            "-drive", $"file={image.Program},if=virtio,format=raw,readonly=on",
            "-nic", $"user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:{_port}-:22",
        ];
        // It ends when its input does, also that of a test that was killed and could dispose of nothing.
        var start = new ProcessStartInfo("sh", ["-c", "\"$@\" </dev/null & cat; kill -9 $!; wait", "sh", "qemu-system-x86_64", .. words]);
        start.RedirectStandardInput = start.RedirectStandardError = true;
        _machine = Process.Start(start)!;
        _machine.BeginErrorReadLine();
        var clock = Stopwatch.StartNew();
        while (Shell("true", TimeSpan.FromSeconds(30)) is not { Code: 0 })
        {
            Assert.True(!_machine.HasExited && clock.Elapsed < TimeSpan.FromMinutes(4), $"the virtual machine is not up after {clock.Elapsed.TotalSeconds:0} s\n{Console()}");
            Thread.Sleep(200);
        }
    }

    private Ran? Shell(string script, TimeSpan limit)
    {
        string[] words =
        [
            "-p", $"{_port}", "-i", $"{MachineImage.Current.System}/key", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20", "-o", "ControlMaster=auto", "-o", $"ControlPath={_place}/ssh", "-o", "ControlPersist=yes",
            "root@127.0.0.1", "sh", "-s",
        ];
        using var shell = Process.Start(new ProcessStartInfo("ssh", words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = shell.StandardOutput.ReadToEndAsync();
        var errors = shell.StandardError.ReadToEndAsync();
        // Without hardware the runtime's remapping of its own code is a third of a command's time.
        shell.StandardInput.Write($"export DOTNET_EnableWriteXorExecute=0\n{script}");
        shell.StandardInput.Close();
        if (shell.WaitForExit(limit) && Task.WaitAll([output, errors], TimeSpan.FromSeconds(10))) return new Ran(shell.ExitCode, output.Result, errors.Result);
        if (!shell.HasExited) shell.Kill();
        return null;
    }

    private string Console() => File.Exists($"{_place}/console") ? File.ReadAllText($"{_place}/console") : "";
}
