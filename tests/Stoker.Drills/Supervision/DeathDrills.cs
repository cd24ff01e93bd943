using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Supervision;

/// <summary>Kills of services and of the daemon at random moments: no orphan, no double start, no line lost.</summary>
public sealed class DeathDrills
{
    private static string Estate(int services, string directory)
    {
        const string service = """
              SERVICE:
                command: [sh, -c, "i=0; while true; do i=$$((i+1)); echo line $$i; sleep 0.02; done"]
                environment: {DRILL: "DIRECTORY"}
                restart: always
                restart_policy: {delay: 0s}
                logging: {options: {max-size: 20k, max-file: "500"}}
                healthcheck: {log: line}
            """;
        var all = Enumerable.Range(1, services).Select(i => service.Replace("SERVICE", $"s{i}").Replace("DIRECTORY", directory));
        return $"name: deaths\nservices:\n{string.Join('\n', all)}\n";
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void A_thousand_killed_services_come_back_and_nothing_runs_twice() => KillServices(1000);

    [Fact]
    public void A_few_killed_services_come_back() => KillServices(12);

    [Fact]
    public void A_few_deaths_of_the_daemon_are_survived() => KillDaemons(4);

    [Fact]
    [Trait("Category", "Slow")]
    public void Two_hundred_deaths_of_the_daemon_at_random_moments_are_survived() => KillDaemons(200);

    private static void KillServices(int kills)
    {
        const int count = 10;
        using var machine = new Machine("name: deaths\nservices: {}\n");
        machine.Write("stoker.yaml", Estate(count, machine.Directory));
        machine.Up();
        var random = new Random(1);
        for (var killed = 0; killed < kills;)
        {
            // One, or some at once.
            var victims = Enumerable.Range(1, count).OrderBy(_ => random.Next()).Take(Math.Min(random.Next(1, 8), kills - killed)).Select(i => $"s{i}").ToList();
            Dictionary<string, int> pids = [];
            machine.Until("all are up", () => (pids = Pids(machine)).Count == count);
            foreach (var victim in victims) Machine.Kill(pids[victim]);
            machine.Until($"{string.Join(", ", victims)} run again", () => Pids(machine) is var now && victims.All(v => now.TryGetValue(v, out var pid) && pid != pids[v]));
            killed += victims.Count;
        }

        machine.Run("wait", "--timeout", "30s").Succeeded();
        Assert.Equal(kills, machine.Services().Sum(s => (int)s!["restarts"]!));
        AssertReality(machine, count);
    }

    /// <summary>Of those that have a process.</summary>
    private static Dictionary<string, int> Pids(Machine machine) =>
        machine.Services().Where(s => (int?)s!["pid"] is not null).ToDictionary(s => (string)s!["name"]!, s => (int)s!["pid"]!);

    private static void KillDaemons(int kills)
    {
        const int count = 6;
        using var machine = new Machine("name: deaths\nservices: {}\n");
        machine.Write("stoker.yaml", Estate(count, machine.Directory));
        machine.Up();
        var pids = Enumerable.Range(1, count).ToDictionary(i => $"s{i}", i => machine.PidOf($"s{i}"));
        var random = new Random(7);
        for (var kill = 0; kill < kills; kill++)
        {
            Disturb(machine, random, kill);
            machine.KillDaemon();
            machine.Up();
        }

        machine.Run("scale", "s2=1").Succeeded();
        machine.Run("wait", "--timeout", "30s").Succeeded();
        AssertReality(machine, count);
        // s1 was never disturbed: the same process since the beginning, and every line of it once.
        Assert.Equal(pids["s1"], machine.PidOf("s1"));
        AssertEveryLine(machine, "s1");
    }

    /// <summary>Something is under way when the daemon dies: a restart, a scale, a stop, or nothing but logs.</summary>
    private static void Disturb(Machine machine, Random random, int kill)
    {
        using var asked = (kill % 4) switch
        {
            0 => machine.Start("restart", "s3"),
            1 => machine.Start("scale", $"s2={random.Next(1, 4)}"),
            2 => machine.Start("stop", "s4"),
            _ => null,
        };
        Thread.Sleep(random.Next(0, 60));
        asked?.Kill();
    }

    /// <summary>Asked until it is so, because a shell's `sleep` may end between two looks; a wrong picture does not become right.</summary>
    private static void AssertReality(Machine machine, int services)
    {
        Assert.Equal(services, machine.Services().Count);
        machine.Until("status is what runs", () =>
        {
            var processes = machine.Processes();
            return machine.Services().All(service => Shown(service!).SequenceEqual(Shells(processes[(string)service!["name"]!])));
        });
    }

    private static List<int> Shown(System.Text.Json.Nodes.JsonNode service) =>
        [.. service["replicas"]!.AsArray().Select(r => (int?)r!["pid"]).OfType<int>().Order()];

    /// <summary>Without the `sleep` of each shell, which is its child.</summary>
    private static List<int> Shells(IEnumerable<int> pids)
    {
        var all = pids.ToHashSet();
        return [.. all.Where(pid => !all.Contains(ParentOf(pid)) && Machine.Alive(pid)).Order()];
    }

    private static int ParentOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static void AssertEveryLine(Machine machine, string service)
    {
        var lines = machine.Run("logs", service).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var numbers = lines.Select(l => int.Parse(l[(l.LastIndexOf(' ') + 1)..])).ToList();
        Assert.True(numbers.Count > 20, $"only {numbers.Count} lines");
        Assert.Equal(Enumerable.Range(numbers[0], numbers.Count), numbers);
        Assert.Equal(1, numbers[0]);
    }
}
