using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Containers;

/// <summary>Images with a HEALTHCHECK of their own, and without.</summary>
public sealed class ImageHealthDrills : IDisposable
{
    private readonly PodmanEstate _estate = new();

    public ImageHealthDrills() => Assert.SkipWhen(PodmanBox.Missing is not null, PodmanBox.Missing ?? "");

    [Fact]
    public void An_images_own_healthcheck_is_asked_and_the_next_daemon_goes_on_asking()
    {
        var machine = _estate.Begin(Checked());
        machine.Write("stoker.yaml", Checked().Replace("DIRECTORY", machine.Directory));
        using var up = machine.Start("up", "-d");
        machine.Until("it was asked and is not well", () => machine.Run("status", "--json") is { Output.Length: > 0 } status
            && ((string?)status.Json["services"]!.AsArray().FirstOrDefault(s => (string)s!["name"]! == "db")?["replicas"]![0]!["last_probe"])?.Contains("exited with 1", StringComparison.Ordinal) == true);
        // One that nobody asks waits for nothing but its image, which the other one builds as well.
        machine.UntilState("off", "running");
        Assert.Equal(("starting", "waiting"), (machine.StateOf("db"), machine.StateOf("app")));

        PodmanBox.Run("exec", $"{_estate.Name}-db-1", "touch", "/tmp/well");
        machine.UntilState("db", "healthy");
        machine.UntilState("app", "running");
        up.WaitForExit();
        Assert.Equal("exec", (string)machine.Run("probe", "db", "--json").Succeeded().Json["replicas"]![0]!["kind"]!);
        Assert.Contains("its image has none", machine.Run("probe", "plain", "--json").Output);

        var (pid, container) = (machine.PidOf("db"), Inspect("{{.Id}}"));
        machine.KillDaemon();
        machine.Up();
        Assert.Equal((pid, container, "healthy", "running"), (machine.PidOf("db"), Inspect("{{.Id}}"), machine.StateOf("db"), machine.StateOf("plain")));
        PodmanBox.Run("exec", $"{_estate.Name}-db-1", "busybox", "rm", "/tmp/well");
        machine.UntilState("db", "unhealthy");
        Assert.Throws<InvalidOperationException>(() => PodmanBox.Run("exec", $"{_estate.Name}-off-1", "cat", "/tmp/asked"));
    }

    [Fact]
    public void Waiting_for_the_health_of_an_image_without_a_healthcheck_fails_at_once_and_says_what_to_do()
    {
        var machine = _estate.Begin(Unchecked(""));
        machine.Write("stoker.yaml", Unchecked("").Replace("DIRECTORY", machine.Directory));

        var up = machine.Run("up", "-d");

        Assert.Equal(1, up.Code);
        const string why = "waits for `db` to be healthy, which has no healthcheck, neither in the file nor in its image";
        Assert.Contains(why, up.Errors + up.Output);
        Assert.Contains(why, machine.Run("why", "app").Output);
        Assert.Equal(("running", "failed"), (machine.StateOf("db"), machine.StateOf("app")));

        machine.Write("stoker.yaml", Unchecked("healthcheck: {test: 'true', interval: 1s}").Replace("DIRECTORY", machine.Directory));
        machine.Up();
        Assert.Equal(("healthy", "running"), (machine.StateOf("db"), machine.StateOf("app")));
    }

    public void Dispose() => _estate.Dispose();

    private string Inspect(string format) => PodmanBox.Run("container", "inspect", $"--format={format}", $"{_estate.Name}-db-1").Trim();

    /// <summary>Built here, so that what a Dockerfile says of health is kept.</summary>
    private string Checked() =>
        $$"""
        name: {{_estate.Name}}
        x-build: &build
          context: .
          dockerfile_inline: |
            FROM {{PodmanBox.Image}}
            HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=1 CMD echo asked >>/tmp/asked; test -f /tmp/well
        services:
          db:
            build: *build
            {{PodmanEstate.Waiting}}
            {{PodmanEstate.Here}}
            network_mode: host
            restart: "no"
            healthcheck: {interval: 300ms}
          off:
            build: *build
            {{PodmanEstate.Waiting}}
            {{PodmanEstate.Here}}
            network_mode: host
            healthcheck: {disable: true}
          plain:
            image: {{PodmanBox.Image}}
            {{PodmanEstate.Waiting}}
            {{PodmanEstate.Here}}
            network_mode: host
          app:
            command: sleep 1000
            environment: {DRILL: "DIRECTORY"}
            depends_on: {db: {condition: service_healthy} }
        """;

    private string Unchecked(string healthcheck) =>
        $$"""
        name: {{_estate.Name}}
        services:
          db:
            image: {{PodmanBox.Image}}
            {{PodmanEstate.Waiting}}
            {{PodmanEstate.Here}}
            network_mode: host
            {{healthcheck}}
          app:
            command: sleep 1000
            environment: {DRILL: "DIRECTORY"}
            depends_on: {db: {condition: service_healthy} }
        """;
}
