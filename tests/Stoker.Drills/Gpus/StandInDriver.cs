using System.Diagnostics;
using System.Text;
using Stoker.Drills.Shared;
using Stoker.Platform;
using Xunit;

namespace Stoker.Drills.Gpus;

/// <summary>
/// The management library that stands in for the driver's, for all that one machine runs: an RTX 4090 and an A100. What happens to them is written into a file; what the A100 is divided into is
/// kept beside it, and outlives the processes that ask, as on a card.
/// </summary>
public sealed class StandInDriver
{
    /// <summary>A program that is on a GPU as soon as it runs, and in the partition that it was given, which must be there.</summary>
    private const string Client = """
        # client.sh GPU BYTES
        case ${CUDA_VISIBLE_DEVICES-} in
        MIG-a100-?)
            index=${CUDA_VISIBLE_DEVICES#MIG-a100-}
            grep -q "^instance 1 $index " nvml.txt.mig || { echo "there is no partition $CUDA_VISIBLE_DEVICES" >&2; exit 3; }
            instance=$((index + 1)) ;;
        esac
        echo "process $1 $$ $2 ${instance-}" >> nvml.txt
        exec sleep 1000
        """;

    /// <summary>
    /// NVIDIA's control program as its manual describes it: with <c>-f</c> the control daemon in the foreground, else commands from its input are put to the daemon of
    /// CUDA_MPS_PIPE_DIRECTORY, and answered. Two pipes stand for its socket.
    /// </summary>
    private const string Control = """
        #!/bin/sh
        pipe=${CUDA_MPS_PIPE_DIRECTORY:-/tmp/nvidia-mps} log=${CUDA_MPS_LOG_DIRECTORY:-/var/log/nvidia-mps}
        if [ "${1-}" = -f ]; then
            if [ -f "$pipe/pid" ] && kill -0 "$(cat "$pipe/pid")" 2>/dev/null; then echo "An instance of this daemon is already running" >&2; exit 1; fi
            rm -f "$pipe/control" "$pipe/answer"
            mkfifo "$pipe/control" "$pipe/answer" || exit 1
            exec 3<>"$pipe/control" 4<>"$pipe/answer"
            echo $$ > "$pipe/pid"
            echo "Starting control daemon, devices ${CUDA_VISIBLE_DEVICES-all}" >> "$log/control.log"
            while read -r command <&3; do
                case $command in
                quit) rm -f "$pipe/pid"; exit 0 ;;
                get_default_active_thread_percentage) echo 100.0 >&4 ;;
                get_server_list) echo >&4 ;;
                *) echo "Unrecognized command: $command" >&4 ;;
                esac
            done
        fi
        if ! kill -0 "$(cat "$pipe/pid" 2>/dev/null)" 2>/dev/null; then echo "Cannot find MPS control daemon process" >&2; exit 1; fi
        exec 9>"$pipe/lock"
        flock 9
        while read -r command; do
            echo "$command" > "$pipe/control"
            [ "$command" = quit ] || { read -r answer < "$pipe/answer"; echo "$answer"; }
        done
        """;

    private readonly Machine _machine;

    public StandInDriver(Machine machine)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "gcc is not installed");
        _machine = machine;
        var library = Path.Combine(machine.Directory, "libnvidia-ml.so.1");
        var source = Path.Combine(Machine.Repository, "tests", "Stoker.Tests", "Platform", "Gpus", "nvml.c");
        using var compile = Process.Start("/usr/bin/gcc", ["-shared", "-fPIC", "-w", "-o", library, source]);
        compile.WaitForExit();
        Assert.Equal(0, compile.ExitCode);
        machine.Write("client.sh", Client);
        var programs = Directory.CreateDirectory(Path.Combine(machine.Directory, "bin")).FullName;
        var control = Path.Combine(programs, "nvidia-cuda-mps-control");
        File.WriteAllText(control, Control + "\n");
        File.SetUnixFileMode(control, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Write();
        foreach (var word in (string[])["env", $"LD_LIBRARY_PATH={machine.Directory}", $"STANDIN_NVML={Script}", $"PATH={programs}:{Environment.GetEnvironmentVariable("PATH")}"]) machine.Prefix.Add(word);
    }

    private string Script => Path.Combine(_machine.Directory, "nvml.txt");

    /// <summary>What is so from now on, in place of what was.</summary>
    public void Write(params string[] lines)
    {
        File.WriteAllLines(Script + ".new", lines);
        File.Move(Script + ".new", Script, overwrite: true);
    }

    /// <summary>What is so from now on besides. Clients may be adding a line at the same moment: only the system knows where the end is.</summary>
    public void Add(string line)
    {
        using var file = Files.OpenAppend(Script);
        file.Write(Encoding.UTF8.GetBytes(line + "\n"));
    }

    /// <summary>Switches the machine off and on: whatever ran is gone, and with it the partitions.</summary>
    public void Restart()
    {
        _machine.KillDaemon();
        foreach (var process in _machine.Processes().SelectMany(p => p)) Machine.Kill(process);
        File.Delete(Script + ".mig");
        Write();
        // Each run of a machine has another id; what the daemon noted is of the one before.
        var notes = Path.Combine(_machine.State, "gpus.json");
        File.WriteAllText(notes, File.ReadAllText(notes).Replace(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), "00000000-0000-0000-0000-000000000000", StringComparison.Ordinal));
    }
}
