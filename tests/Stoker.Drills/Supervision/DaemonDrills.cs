using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Supervision;

/// <summary>The daemon itself: one per estate, replaced without a restart of any service, and honest about what it finds.</summary>
public sealed class DaemonDrills
{
    private static Machine Small()
    {
        var machine = new Machine("name: small\nservices: {}\n");
        machine.Write("stoker.yaml", $$"""
            name: small
            services:
              app:
                command: sleep 1000
                environment: {DRILL: "{{machine.Directory}}"}
                restart: always
              task:
                command: "true"
            """);
        return machine;
    }

    [Fact]
    public void A_second_daemon_for_the_same_estate_refuses_and_names_the_first()
    {
        using var machine = Small();
        machine.Up();

        var second = machine.Run("daemon", "run", "--name", "small");

        Assert.Equal(4, second.Code);
        Assert.Contains($"pid {machine.DaemonPid}", second.Errors);
    }

    [Fact]
    public void A_killed_daemon_restarts_no_service_and_repeats_no_task()
    {
        using var machine = Small();
        machine.Up();
        // A task that runs is up, too.
        machine.UntilState("task", "completed");
        var pid = machine.PidOf("app");
        var since = Since();
        machine.KillDaemon();
        var down = machine.Run("status");
        Assert.Equal(5, down.Code);
        Assert.Contains("1 service", down.Errors);

        machine.Up();

        Assert.Equal(pid, machine.PidOf("app"));
        Assert.Equal("completed", machine.StateOf("task"));
        Assert.Equal(since, Since());
        Assert.Single(machine.Run("events", "--json").Output.Split('\n'), l => l.Contains("\"task\"", StringComparison.Ordinal) && l.Contains("\"started\"", StringComparison.Ordinal));

        (string?, string?) Since() => ((string?)machine.Service("app")["since"], (string?)machine.Service("task")["since"]);
    }

    [Fact]
    public void A_task_that_was_declared_otherwise_when_it_was_done_is_done_again_by_the_next_daemon()
    {
        using var machine = Small();
        var done = Path.Combine(machine.Directory, "done");
        machine.Write("stoker.yaml", $"name: small\nservices:\n  task: {{command: [sh, -c, \"echo one >>{done}\"]}}\n");
        machine.Up();
        machine.UntilState("task", "completed");
        machine.Run("down").Succeeded();

        machine.Write("stoker.yaml", $"name: small\nservices:\n  task: {{command: [sh, -c, \"echo two >>{done}\"]}}\n");
        machine.Up();
        machine.UntilState("task", "completed");

        Assert.Equal(["one", "two"], File.ReadAllLines(done));
    }

    [Fact]
    public void What_was_asked_for_by_name_and_what_ran_before_are_all_kept_by_the_next_daemon()
    {
        using var machine = Small();
        machine.Write("stoker.yaml", $$"""
            name: small
            services:
              app: {command: sleep 1000, environment: {DRILL: "{{machine.Directory}}"}, restart: always}
              extra: {command: sleep 1000, environment: {DRILL: "{{machine.Directory}}"}, profiles: [more]}
            """);
        machine.Up();
        machine.Up("extra");
        var (app, extra) = (machine.PidOf("app"), machine.PidOf("extra"));

        machine.Run("daemon", "upgrade").Succeeded();
        foreach (var service in (string[])["app", "extra"]) machine.UntilState(service, "running");
        Assert.Equal((app, extra), (machine.PidOf("app"), machine.PidOf("extra")));

        machine.KillDaemon();
        machine.Up("extra");
        Assert.Equal((app, extra), (machine.PidOf("app"), machine.PidOf("extra")));
        Machine.Kill(app);
        machine.Until("it is kept running", () => machine.Service("app") is var now && (string)now["state"]! == "running" && (int)now["pid"]! != app);
    }

    [Fact]
    public void An_upgrade_in_place_keeps_pids_and_what_was_stopped_and_scaled()
    {
        using var machine = Small();
        machine.Up();
        machine.Run("scale", "app=3").Succeeded();
        machine.Until("three run", () => machine.Processes()["app"].Count() == 3);
        var before = machine.Processes()["app"].Order().ToList();
        var daemon = machine.DaemonPid;
        var since = machine.Service("app")["replicas"]!.AsArray().Select(r => (string?)r!["since"]).ToList();

        machine.Run("daemon", "upgrade").Succeeded();

        machine.UntilState("app", "running");
        Assert.Equal(since, machine.Service("app")["replicas"]!.AsArray().Select(r => (string?)r!["since"]));
        Assert.Equal(daemon, machine.DaemonPid);
        Assert.Equal(before, machine.Processes()["app"].Order());
        Assert.Equal(3, machine.Service("app")["replicas"]!.AsArray().Count);
    }

    [Fact]
    public void An_upgrade_to_another_program_changes_the_version_and_no_pid()
    {
        using var machine = Small();
        machine.Up();
        var (pid, daemon) = (machine.PidOf("app"), machine.DaemonPid);
        var other = AnotherVersion(Path.Combine(machine.Directory, "other"), out var version);

        machine.Run("daemon", "upgrade", "--executable", other).Succeeded();

        var now = machine.Run("daemon", "status", "--json").Succeeded().Json;
        Assert.Equal((version, daemon), ((string)now["version"]!, (int)now["pid"]!));
        Assert.Equal(other, File.ResolveLinkTarget($"/proc/{daemon}/exe", returnFinalTarget: false)!.FullName);
        machine.UntilState("app", "running");
        Assert.Equal(pid, machine.PidOf("app"));
    }

    [Fact]
    public void An_upgrade_to_what_cannot_be_run_is_refused_and_the_daemon_stays()
    {
        using var machine = Small();
        machine.Up();
        var (pid, daemon) = (machine.PidOf("app"), machine.DaemonPid);
        machine.Write("no-program", "text");

        Assert.NotEqual(0, machine.Run("daemon", "upgrade", "--executable", Path.Combine(machine.Directory, "no-program")).Code);

        Assert.Equal((pid, daemon), (machine.PidOf("app"), machine.DaemonPid));
    }

    /// <summary>A copy of the build in which the assembly says another version, of the same length.</summary>
    private static string AnotherVersion(string place, out string version)
    {
        Directory.CreateDirectory(place);
        var build = Path.GetDirectoryName(Machine.Program)!;
        foreach (var file in Directory.GetFiles(build)) File.Copy(file, Path.Combine(place, Path.GetFileName(file)));
        File.CreateSymbolicLink(Path.Combine(place, "dotnet"), File.ResolveLinkTarget(Path.Combine(build, "dotnet"), returnFinalTarget: true)!.FullName);
        var own = Stoker.Daemon.ProgramVersion.Text.Split('+')[0] + "+";
        version = own.Replace("0.1.", "9.8.", StringComparison.Ordinal);
        var assembly = Path.Combine(place, "stoker.dll");
        var bytes = File.ReadAllBytes(assembly);
        var at = bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(own));
        Assert.True(at > 0);
        System.Text.Encoding.UTF8.GetBytes(version).CopyTo(bytes, at);
        version = System.Text.Encoding.UTF8.GetString(bytes, at, bytes.AsSpan(at).IndexOfAny((byte)0, (byte)1));
        File.WriteAllBytes(assembly, bytes);
        return Path.Combine(place, "stoker");
    }

    [Fact]
    public void An_exit_code_is_known_even_of_a_process_that_an_earlier_daemon_started()
    {
        using var machine = new Machine("name: codes\nservices: {}\n");
        machine.Write("stoker.yaml", "name: codes\nservices:\n  app:\n    command: [sh, -c, \"trap 'exit 7' USR1; echo ready; while true; do sleep 0.05; done\"]\n    healthcheck: {log: ready}\n");
        machine.Up();
        var pid = machine.PidOf("app");
        machine.KillDaemon();
        machine.Up();

        using var kill = System.Diagnostics.Process.Start("kill", ["-USR1", $"{pid}"]);
        machine.UntilState("app", "failed");

        Assert.Equal(7, (int)machine.Service("app")["replicas"]![0]!["last_exit"]!["code"]!);
    }

    [Fact]
    public void A_record_that_names_a_strangers_pid_is_not_believed()
    {
        using var machine = Small();
        machine.Up();
        var pid = machine.PidOf("app");
        machine.KillDaemon();
        Machine.Kill(pid);
        var record = Path.Combine(machine.State, "replicas", "app.1.json");
        File.WriteAllText(record, File.ReadAllText(record).Replace($"\"pid\":{pid}", $"\"pid\":{Environment.ProcessId}"));

        machine.Up();

        Assert.NotEqual(Environment.ProcessId, machine.PidOf("app"));
        machine.Run("stop", "app").Succeeded();
    }

    [Fact]
    public void A_changed_file_applies_only_the_difference()
    {
        using var machine = Small();
        machine.Up();
        var pid = machine.PidOf("app");
        var text = File.ReadAllText(Path.Combine(machine.Directory, "stoker.yaml"));

        machine.Write("stoker.yaml", text + "\n  more:\n    command: sleep 1000\n    environment: {DRILL: \"" + machine.Directory + "\"}\n");
        machine.Up();
        Assert.Equal(pid, machine.PidOf("app"));
        Assert.Equal("running", machine.StateOf("more"));

        machine.Write("stoker.yaml", text.Replace("sleep 1000", "sleep 999"));
        machine.Up();
        Assert.NotEqual(pid, machine.PidOf("app"));
        machine.Until("what left the file is gone", () => !machine.Processes()["more"].Any());
        Assert.Single(machine.Processes()["app"]);
    }

    [Fact]
    public void A_secret_is_nowhere_to_be_seen_but_where_it_belongs()
    {
        const string secret = "correct-horse-battery-staple";
        using var machine = new Machine("name: secrets\nservices: {}\n");
        machine.Write("password.txt", secret + "\n");
        machine.Write("stoker.yaml", """
            name: secrets
            secrets: {password: {file: password.txt}}
            services:
              app:
                command: [sh, -c, "echo the password is $$(cat $$PASSWORD_FILE); exec sleep 1000"]
                environment: {PASSWORD_FILE: /run/secrets/password}
                secrets: [password]
            """);
        machine.Up();
        machine.Until("it has spoken", () => machine.Run("logs", "app").Output.Contains("the password is", StringComparison.Ordinal));

        Assert.Contains("the password is ***", machine.Run("logs", "app").Output);
        foreach (var words in (string[][])[["logs"], ["events"], ["events", "--json"], ["status", "--json"], ["plan", "--json"], ["config", "show"], ["daemon", "status", "--json"]])
            Assert.DoesNotContain(secret, machine.Run(words).Output);
        foreach (var (file, text) in machine.Kept(file => !file.Contains("/secrets/", StringComparison.Ordinal)))
            Assert.False(text.Contains(secret, StringComparison.Ordinal), file);
        Assert.DoesNotContain(secret, File.ReadAllText($"/proc/{machine.PidOf("app")}/cmdline"));
    }
}
