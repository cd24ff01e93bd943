using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Containers;

/// <summary>Secrets and configs that Podman keeps, and the file only names.</summary>
public sealed class ExternalSecretDrills : IDisposable
{
    private readonly PodmanEstate _estate = new();
    private readonly List<string> _made = [];

    public ExternalSecretDrills() => Assert.SkipWhen(PodmanBox.Missing is not null, PodmanBox.Missing ?? "");

    [Fact]
    public void What_podman_keeps_is_in_its_place_and_nowhere_else()
    {
        var machine = _estate.Begin(Estate());
        Create(machine, "token", "t0p-secret-of-podman");
        Create(machine, "site", "site of podman");

        machine.Up();

        Assert.Equal("t0p-secret-of-podman", PodmanBox.Run("exec", $"{_estate.Name}-web-1", "cat", "/run/secrets/token"));
        Assert.Equal("t0p-secret-of-podman", PodmanBox.Run("exec", $"{_estate.Name}-web-1", "cat", "/run/secrets/again"));
        Assert.Equal("site of podman", PodmanBox.Run("exec", $"{_estate.Name}-web-1", "cat", "/site"));
        Assert.Equal("site of podman", PodmanBox.Run("exec", $"{_estate.Name}-web-1", "cat", "/etc/site.conf"));
        foreach (var (file, text) in machine.Kept(_ => true)) Assert.False(text.Contains("t0p-secret-of-podman", StringComparison.Ordinal), file);
    }

    [Fact]
    public void What_podman_does_not_have_is_named_with_how_to_make_it()
    {
        var machine = _estate.Begin(Estate());
        Create(machine, "site", "site of podman");

        Assert.Equal(1, machine.Run("up", "-d").Code);
        machine.UntilState("web", "failed");
        Assert.Contains($"external secret `{_estate.Name}-token` does not exist; make it with `podman secret create {_estate.Name}-token FILE`", machine.Run("why", "web").Output);
        Assert.Empty(_estate.Containers());

        Create(machine, "token", "made later");
        machine.Run("up", "-d");
        machine.UntilState("web", "running");
        Assert.Equal("made later", PodmanBox.Run("exec", $"{_estate.Name}-web-1", "cat", "/run/secrets/token"));
    }

    public void Dispose()
    {
        _estate.Dispose();
        if (_made.Count > 0) PodmanBox.Run(["secret", "rm", .. _made]);
    }

    private void Create(Machine machine, string name, string value)
    {
        machine.Write(name, value);
        PodmanBox.Run("secret", "create", $"{_estate.Name}-{name}", Path.Combine(machine.Directory, name));
        _made.Add($"{_estate.Name}-{name}");
        File.Delete(Path.Combine(machine.Directory, name));
    }

    private string Estate() =>
        $$"""
        name: {{_estate.Name}}
        services:
          web:
            image: {{PodmanBox.Image}}
            {{PodmanEstate.Waiting}}
            {{PodmanEstate.Here}}
            network_mode: host
            secrets: [token, {source: token, target: again}]
            configs: [site, {source: site, target: /etc/site.conf}]
        secrets:
          token: {external: true, name: {{_estate.Name}}-token}
        configs:
          site: {external: true, name: {{_estate.Name}}-site}
        """;
}
