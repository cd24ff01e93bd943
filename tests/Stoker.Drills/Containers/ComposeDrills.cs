using System.Net.Http;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Containers;

/// <summary>Compose files as strangers write them, run by the program with a real Podman, and what befalls them.</summary>
public sealed class ComposeDrills : IDisposable
{
    private readonly int _port = FreePorts.Take();
    private readonly PodmanEstate _estate = new();

    public ComposeDrills() => Assert.SkipWhen(PodmanBox.Missing is not null, PodmanBox.Missing ?? "");

    [Fact]
    public async Task An_untouched_compose_file_with_images_runs()
    {
        var machine = _estate.Begin(Shop());
        Directory.CreateDirectory(Path.Combine(machine.Directory, "html"));
        machine.Write("html/index.html", "hello from a bind mount");
        machine.Write("password.txt", "hunter22-drill\n");
        machine.Up();
        Assert.Equal(("healthy", "healthy"), (machine.StateOf("db"), machine.StateOf("web")));
        Assert.Equal("hello from a bind mount", await GetAsync("/"));
        // The other service by its name, and the secret as a file.
        Assert.Contains("10.", PodmanBox.Run("exec", $"{_estate.Name}-web-1", "/bin/sh", "-c", "nslookup db | grep -A1 Name:"), StringComparison.Ordinal);
        Assert.Equal("hunter22-drill\n", PodmanBox.Run("exec", $"{_estate.Name}-web-1", "cat", "/run/secrets/password"));
        Assert.DoesNotContain(Processes(), process => CommandLine(process).Contains(Variable, StringComparison.Ordinal));
        Assert.Contains(Variable, PodmanBox.Run("exec", $"{_estate.Name}-web-1", "env"), StringComparison.Ordinal);

        machine.RunFor(TimeSpan.FromMinutes(1), "down").Succeeded();
        Assert.Empty(_estate.Containers());
        Assert.DoesNotContain($"{_estate.Name}_back", PodmanBox.Run("network", "ls"), StringComparison.Ordinal);
        Assert.Contains($"{_estate.Name}_data", PodmanBox.Run("volume", "ls", "-q"), StringComparison.Ordinal);
    }

    [Fact]
    public void Containers_go_on_without_the_daemon_and_are_adopted_by_the_next()
    {
        var machine = _estate.Begin(Beating("restart: always")).Up();
        var (pid, container) = (machine.PidOf("beat"), Assert.Single(_estate.Containers()));
        machine.KillDaemon();
        machine.Up();
        Assert.Equal((pid, container), (machine.PidOf("beat"), Assert.Single(_estate.Containers())));
        // Its output never stopped.
        var lines = machine.Run("logs", "beat").Succeeded().Output.Split('\n').Count(l => l.Contains("beat", StringComparison.Ordinal));
        machine.Until("it goes on speaking", () => machine.Run("logs", "beat").Output.Split('\n').Count(l => l.Contains("beat", StringComparison.Ordinal)) > lines + 10);
    }

    [Fact]
    public void The_death_of_the_client_is_the_services_and_there_is_never_a_second_container()
    {
        var machine = _estate.Begin(Beating("restart: always")).Up();
        for (var i = 0; i < 3; i++)
        {
            var (pid, container) = (machine.PidOf("beat"), Assert.Single(_estate.Containers()));
            Machine.Kill(pid);
            // Of one look: the one that was killed counts as healthy until the daemon hears of its end.
            machine.Until("a new container runs", () => machine.Service("beat") is var now && (string)now["state"]! == "healthy" && (int)now["pid"]! != pid);
            Assert.NotEqual(container, Assert.Single(_estate.Containers()));
        }
    }

    [Fact]
    public void A_container_that_lost_its_client_and_its_daemon_is_replaced_not_doubled()
    {
        var machine = _estate.Begin(Beating("restart: always")).Up();
        var (pid, container) = (machine.PidOf("beat"), Assert.Single(_estate.Containers()));
        machine.KillDaemon();
        Machine.Kill(pid);
        Assert.Equal(container, Assert.Single(_estate.Containers()));
        machine.Up();
        Assert.NotEqual(container, Assert.Single(_estate.Containers()));
    }

    [Fact]
    public void A_strangers_container_keeps_its_name()
    {
        var id = PodmanBox.Run([.. PodmanBox.OciRuntime is { } runtime ? (string[])[$"--runtime={runtime}"] : [], "create", $"--name={_estate.Name}-beat-1", PodmanBox.Image, "/bin/true"]).Trim();
        try
        {
            var machine = _estate.Begin(Beating(""));
            machine.Run("up", "-d");
            machine.UntilState("beat", "failed");
            Assert.Contains("already in use", machine.Run("logs", "beat").Output, StringComparison.Ordinal);
            machine.Run("down").Succeeded();
            Assert.Equal(id, PodmanBox.Run("container", "inspect", "--format={{.Id}}", $"{_estate.Name}-beat-1").Trim());
        }
        finally
        {
            PodmanBox.Run("rm", "-f", id);
        }
    }

    [Fact]
    public void Hooks_and_reload_run_inside_and_an_image_is_built_first()
    {
        var machine = _estate.Begin(
            $$"""
            name: {{_estate.Name}}
            services:
              built:
                build:
                  context: .
                  dockerfile_inline: |
                    FROM {{PodmanBox.Image}}
                    ENV BAKED=in
                command: [sh, -c, "trap 'exit 0' TERM; while :; do if [ -s /tmp/said ]; then busybox mv /tmp/said /tmp/heard; cat /tmp/heard; fi; sleep 0.05; done"]
                {{PodmanEstate.Here}}
                post_start:
                  - command: [sh, -c, "echo hook $$BAKED $$EXTRA > /tmp/said"]
                    environment: {EXTRA: more}
                reload: [sh, -c, "echo reloaded > /tmp/said"]
            """).Up();
        machine.Until("the hook spoke", () => machine.Run("logs", "built").Output.Contains("hook in more", StringComparison.Ordinal));
        machine.Run("reload", "built").Succeeded();
        machine.Until("the reload spoke", () => machine.Run("logs", "built").Output.Contains("reloaded", StringComparison.Ordinal));
    }

    [Fact]
    public void A_healthcheck_that_hangs_leaves_nothing_in_the_container()
    {
        // So long as nobody else sleeps on this machine.
        var mark = $"{7_000_000 + Random.Shared.Next(1_000_000)}";
        var machine = _estate.Begin(
            $$"""
            name: {{_estate.Name}}
            services:
              stuck:
                image: {{PodmanBox.Image}}
                command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.05; done"]
                {{PodmanEstate.Here}}
                healthcheck: {test: [CMD, sleep, "{{mark}}"], interval: 200ms, timeout: 500ms, retries: 2}
            """);
        using var up = machine.Start("up", "-d");
        machine.Until("it is unhealthy", () => machine.Run("status", "--json") is { Code: 0 } status && status.Json["services"]!.AsArray() is [{ } stuck] && (string?)stuck["state"] == "unhealthy");
        up.Kill();
        machine.Run("stop", "stuck").Succeeded();
        machine.Until("no check is left", () => !Processes().Any(process => CommandLine(process).Contains($"sleep\0{mark}", StringComparison.Ordinal)));
    }

    public void Dispose() => _estate.Dispose();

    /// <summary>What nobody else on this machine says, as a whole or in a command that looks for it.</summary>
    private string Variable => $"drill-variable-of-{_estate.Name}";

    private string Beating(string more) =>
        $$"""
        name: {{_estate.Name}}
        services:
          beat:
            image: {{PodmanBox.Image}}
            command: [sh, -c, "trap 'exit 0' TERM; i=0; while :; do i=$$((i+1)); echo beat $$i; sleep 0.05; done"]
            {{PodmanEstate.Here}}
            network_mode: host
            healthcheck: {log: beat}
            {{more}}
        """;

    private string Shop() =>
        $$"""
        name: {{_estate.Name}}
        services:
          db:
            image: {{PodmanBox.Image}}
            command: ["sh", "-c", "trap 'exit 0' TERM; echo ready > /data/state; while :; do sleep 0.1; done"]
            volumes:
              - data:/data
            networks: [back]
            healthcheck:
              test: ["CMD-SHELL", "test -f /data/state"]
              interval: 1s
              retries: 5
            {{PodmanEstate.Here}}
          web:
            image: {{PodmanBox.Image}}
            init: false
            command: httpd -f -p 80 -h /srv
            stop_signal: SIGKILL
            depends_on:
              db:
                condition: service_healthy
            environment:
              - PASSWORD_FILE=/run/secrets/password
              - TOKEN={{Variable}}
            secrets: [password]
            ports: ["127.0.0.1:{{_port}}:80"]
            volumes:
              - ./html:/srv:ro
            networks: [back]
            healthcheck:
              test: wget -q -O /dev/null http://127.0.0.1:80/index.html
              interval: 1s
            {{PodmanEstate.Here}}
        volumes:
          data:
        networks:
          back:
        secrets:
          password:
            file: ./password.txt
        """;

    private async Task<string> GetAsync(string path)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync($"http://127.0.0.1:{_port}{path}");
    }

    private static IEnumerable<string> Processes() => Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0]));

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText($"{process}/cmdline");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
