using System.Diagnostics;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Supervision;

/// <summary>A full disk under the state directory: services go on, the daemon says so and recovers.</summary>
public sealed class FullDiskDrills
{
    [Fact]
    public void Services_go_on_while_the_disk_is_full_and_nothing_is_lost_when_there_is_room_again()
    {
        var disk = Directory.CreateTempSubdirectory("stoker-disk-").FullName;
        if (Sh($"mount -t tmpfs -o size=2m none {disk}") != 0) Assert.Skip("mounting a small file system needs root");
        try
        {
            using var machine = new Machine("name: full\nservices: {}\n", Path.Combine(disk, "state"));
            machine.Write("stoker.yaml", $$"""
                name: full
                services:
                  app:
                    command: [sh, -c, "i=0; while true; do i=$$((i+1)); echo line $$i; sleep 0.01; done"]
                    environment: {DRILL: "{{machine.Directory}}"}
                    restart: always
                """);
            machine.Up();
            var pid = machine.PidOf("app");
            Sh($"dd if=/dev/zero of={disk}/fill bs=1k count=4000");

            machine.Until("the daemon says so", () => machine.Run("events").Output.Contains("cannot be written", StringComparison.Ordinal));
            Assert.Equal("running", machine.StateOf("app"));
            Assert.Equal(pid, machine.PidOf("app"));

            File.Delete(Path.Combine(disk, "fill"));
            machine.Until("it has recovered", () => machine.Run("events").Output.Contains("is written again", StringComparison.Ordinal));
            var numbers = machine.Run("logs", "app").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => int.Parse(l[(l.LastIndexOf(' ') + 1)..])).ToList();
            Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);
            Assert.Equal(pid, machine.PidOf("app"));
        }
        finally
        {
            Sh($"umount -l {disk}");
        }
    }

    private static int Sh(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
