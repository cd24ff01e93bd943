using System.Text.Json;
using System.Text.Json.Nodes;
using Stoker.Hosts.Checks;
using Stoker.Platform;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// GPUs for containers by CDI: devices that are named in the container's own configuration stay with it when systemd is reloaded, where those that a hook adds are taken away
/// (https://github.com/NVIDIA/nvidia-container-toolkit/issues/48).
/// </summary>
internal static class ContainerToolkit
{
    private const string Key = "/usr/share/keyrings/nvidia-container-toolkit-keyring.gpg", Devices = "/etc/cdi/nvidia.yaml", Docker = "/etc/docker/daemon.json";

    public static ShippedLayer Layer { get; } = new(
        "nvidia-container-toolkit",
        "GPUs for containers by CDI, from NVIDIA's container toolkit; Docker is told where it is installed, and no container is restarted",
        [],
        call => new LayerContent(
            [
                ShippedCall.Packages("curl", "ca-certificates", "gnupg"),
                ShippedCall.Run(["sh", "-ec", $"curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey | gpg --batch --dearmor -o {Key}"], ["test", "-s", Key], ["rm", "-f", Key]),
                ShippedCall.File("/etc/apt/sources.list.d/nvidia-container-toolkit.list", $"deb [signed-by={Key}] https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /\n"),
                ShippedCall.Run(["apt-get", "update", "-q"], ["sh", "-c", "apt-cache show nvidia-container-toolkit >/dev/null 2>&1"], ["true"]),
                ShippedCall.Packages("nvidia-container-toolkit"),
                ShippedCall.Run(["nvidia-ctk", "cdi", "generate", $"--output={Devices}"], ["test", "-s", Devices], ["rm", "-f", Devices]),
                new LayerStep.OnMachine(doors => Task.FromResult(DockerSteps(doors))),
            ],
            [
                call.Check("package", new CheckSubject.Package("nvidia-container-toolkit", true, Expectation.Parse(">=1.14", out _))),
                call.Check(
                    "devices", new CheckSubject.File(Devices, true, "file", null, null, null, null, [Expectation.Parse("nvidia.com/gpu", out _)!], null, null),
                    "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"),
            ],
            [ShippedCall.ReloadIfThere("docker.service")]));

    private static IReadOnlyList<LayerStep> DockerSteps(LayerDoors doors)
    {
        if (doors.Machine.Find("dockerd") is null) return [];
        var now = doors.Machine.Files.Read(Docker) is TreeFile.Found found ? found.Text : "{}";
        return [ShippedCall.File(Docker, WithRuntime(now)), ShippedCall.Run("systemctl", "reload", "docker.service")];
    }

    /// <summary>Docker's configuration with the runtime and CDI in it; what is there stays.</summary>
    internal static string WithRuntime(string text)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(text) as JsonObject ?? throw new LayerFailedException($"`{Docker}` is no JSON object");
        }
        catch (JsonException e)
        {
            throw new LayerFailedException($"`{Docker}` is no JSON: {e.Message}");
        }

        if (root["runtimes"]?["nvidia"] is not null && root["features"]?["cdi"]?.GetValueKind() == JsonValueKind.True) return text;
        ((JsonObject)(root["runtimes"] ??= new JsonObject()))["nvidia"] ??= new JsonObject { ["path"] = "nvidia-container-runtime", ["args"] = new JsonArray() };
        ((JsonObject)(root["features"] ??= new JsonObject()))["cdi"] = true;
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true })) root.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}
