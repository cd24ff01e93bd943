using System.Globalization;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Machines;

/// <summary>Limits, killing and adoption by control groups of version 2 with all their controllers, on a machine of its own.</summary>
[Trait("Category", "Slow")]
public sealed class ControlGroupDrills(VirtualMachine vm) : IClassFixture<VirtualMachine>, IDisposable
{
    private string? _estate;

    private string Groups => $"/sys/fs/cgroup/stoker.{_estate}-*";

    [Fact]
    public void What_exceeds_its_memory_is_killed_and_why_says_out_of_memory()
    {
        Up("memory", """
              hog:
                command: [perl, -e, 'my @x; push @x, "x" x 1000000 while 1']
                restart: "no"
                deploy: {resources: {limits: {memory: 64M}}}
              calm:
                command: sleep 100000
            """);

        vm.Until("the hog is dead", $"cd /root/memory; stoker status --json | grep -q '\"state\": *\"failed\"'");

        var told = vm.Run("cd /root/memory; stoker why hog; stoker events; stoker status --json; dmesg | grep -c 'Memory cgroup out of memory'").Succeeded().Output;
        Assert.Contains("was killed by SIGKILL, out of memory", told);
        Assert.Contains("hog killed by SIGKILL, out of memory", told);
        Assert.Matches("\"out_of_memory\": *true", told);
        Assert.DoesNotContain("not enforced", told);
        Assert.Equal("0\n", vm.Run($"cat {Groups}/calm.1/memory.events | sed -n 's/^oom_kill //p'").Output);
    }

    [Fact]
    public void A_limit_of_processor_time_holds_in_every_period()
    {
        Up("processor", """
              spin:
                command: [sh, -c, "while :; do :; done & while :; do :; done"]
                deploy: {resources: {limits: {cpus: "0.2"}}}
            """);

        // Fifty periods of 100 ms, in which the kernel did not let it have more than it may.
        vm.Until("fifty periods have passed", $"[ $(sed -n 's/^nr_periods //p' {Groups}/spin.1/cpu.stat) -ge 50 ]");

        var counted = vm.Run($"cat {Groups}/spin.1/cpu.stat").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => l.Split(' ')).ToDictionary(w => w[0], w => long.Parse(w[1], CultureInfo.InvariantCulture));
        var share = counted["usage_usec"] / (counted["nr_periods"] * 100_000.0);
        Assert.InRange(share, 0.1, 0.24);
        Assert.True(counted["nr_throttled"] >= 30, $"throttled in {counted["nr_throttled"]} of {counted["nr_periods"]} periods");
    }

    [Fact]
    public void A_fork_bomb_stops_at_its_limit_harms_nobody_else_and_is_killed_at_once()
    {
        Up("bomb", """
              bomb:
                command: [perl, -e, '$$SIG{TERM} = "IGNORE"; while (1) { my $$pid = fork; select undef, undef, undef, 0.05 unless defined $$pid }']
                stop_grace_period: 1s
                deploy: {resources: {limits: {pids: 40, cpus: "0.5"}}}
              calm:
                command: [sh, -c, "while :; do /bin/echo tick; sleep 0.3; done"]
            """);
        vm.Until("it has hit its limit", $"[ $(sed -n 's/^max //p' {Groups}/bomb.1/pids.events) -gt 0 ]");
        Assert.InRange(int.Parse(vm.Run($"cat {Groups}/bomb.1/pids.current").Output, CultureInfo.InvariantCulture), 2, 40);
        // The other one goes on forking.
        vm.Until("the other one ticks", "cd /root/bomb; [ $(stoker logs calm | wc -l) -gt 5 ]");

        vm.Run("cd /root/bomb; stoker stop bomb").Succeeded();

        Assert.Equal("populated 0", vm.Run($"grep populated {Groups}/bomb.1/cgroup.events").Output.Trim());
        Assert.Contains("running", vm.Run("cd /root/bomb; stoker status | grep calm").Output);
    }

    [Fact]
    public void What_hides_from_marks_and_sessions_does_not_hide_from_its_group()
    {
        // Another session, no parent, and nothing in the environment that tells whose it is.
        Up("hidden", """
              bad:
                command: [sh, -c, "env -i setsid sh -c 'trap \"\" TERM; (env -i setsid sleep 77777 &); while :; do sleep 0.5; done' & exec sleep 66666"]
                stop_grace_period: 500ms
            """);
        vm.Until("all are there", $"[ $(wc -l < $(echo {Groups}/bad.1/cgroup.procs)) -ge 3 ] && pgrep -f 'sleep 77777' >/dev/null");

        vm.Run("cd /root/hidden; stoker stop bad").Succeeded();

        Assert.Equal("populated 0", vm.Run($"grep populated {Groups}/bad.1/cgroup.events").Output.Trim());
        Assert.Equal(1, vm.Run("pgrep -f 'sleep 77777'").Code);
    }

    [Fact]
    public void A_daemon_under_systemd_is_killed_and_the_next_one_finds_the_same_groups_and_limits()
    {
        Write("unit", Adopted);
        vm.Run("""
            systemd-run -q --unit=stoker-unit -p Restart=always -p RestartSec=100ms --working-directory=/root/unit \
              stoker daemon run --name unit --apply --resume -f /root/unit/stoker.yaml
            """).Succeeded();
        vm.Until("it runs", $"cat {Groups}/kept.1/cgroup.procs | grep -q .");
        var before = vm.Run($"cat {Groups}/kept.1/cgroup.procs; systemctl show -p MainPID stoker-unit").Output;

        vm.Run("systemctl kill -s KILL --kill-whom=main stoker-unit").Succeeded();
        vm.Until("the next daemon answers", "cd /root/unit; stoker daemon status >/dev/null 2>&1 && [ \"$(systemctl show -p NRestarts --value stoker-unit)\" -ge 1 ]");

        var after = vm.Run($"cat {Groups}/kept.1/cgroup.procs; systemctl show -p MainPID stoker-unit").Output;
        Assert.Equal(before.Split("MainPID")[0], after.Split("MainPID")[0]);
        Assert.NotEqual(before, after);
        Assert.Equal("67108864 30\n", vm.Run($"echo $(cat {Groups}/kept.1/memory.max) $(cat {Groups}/kept.1/pids.max)").Output);
        AssertStopsWhole("unit");
        vm.Run("systemctl stop stoker-unit");
    }

    [Fact]
    public void A_daemon_started_from_a_login_is_killed_and_one_from_another_login_adopts_all()
    {
        Up("login", Adopted);
        var before = vm.Run($"cat {Groups}/kept.1/cgroup.procs").Output;
        vm.Run("kill -9 $(cd /root/login; stoker daemon status --json | sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p')").Succeeded();

        vm.Run("cd /root/login; systemd-run -q --scope -p Delegate=no stoker up -d").Succeeded();

        Assert.Equal(before, vm.Run($"cat {Groups}/kept.1/cgroup.procs").Output);
        AssertStopsWhole("login");
    }

    [Fact]
    public void In_a_delegated_scope_the_scopes_own_limits_hold_for_the_estate()
    {
        Write("scope", Adopted);

        vm.Run("cd /root/scope; systemd-run -q --scope --unit=stoker-scope -p Delegate=yes -p MemoryMax=700M stoker up -d").Succeeded();

        const string place = "/sys/fs/cgroup/system.slice/stoker-scope.scope";
        vm.Run($"grep -q . {place}/stoker.scope-*/kept.1/cgroup.procs && grep -q . {place}/stoker-daemon/cgroup.procs && [ $(cat {place}/stoker.scope-*/kept.1/memory.max) = 67108864 ]").Succeeded();
        _estate = "scope";
    }

    public void Dispose()
    {
        if (_estate is not null) vm.Run($"cd /root/{_estate}; stoker down >/dev/null 2>&1");
    }

    private const string Adopted = """
          kept:
            command: [sh, -c, "env -i setsid sleep 88888 & exec sleep 99999"]
            restart: always
            deploy: {resources: {limits: {memory: 64M, pids: 30}}}
        """;

    private void AssertStopsWhole(string estate)
    {
        vm.Run($"cd /root/{estate}; stoker stop kept").Succeeded();
        Assert.Equal("populated 0", vm.Run($"grep populated {Groups}/kept.1/cgroup.events").Output.Trim());
    }

    private void Up(string name, string services)
    {
        Write(name, services);
        // Some of them never come up; and a daemon takes longer to begin than that, where the processor is emulated.
        vm.Run($"cd /root/{name}; stoker up -d --timeout 2s");
        vm.Run($"cd /root/{name}; for try in $(seq 120); do stoker daemon status >/dev/null 2>&1 && exit; sleep 1; done; stoker daemon status").Succeeded();
    }

    private void Write(string name, string services)
    {
        Assert.SkipWhen(VirtualMachine.Missing is not null, VirtualMachine.Missing ?? "");
        _estate = name;
        vm.Write($"/root/{name}/stoker.yaml", $"name: {name}\nservices:\n{services}\n");
    }
}
