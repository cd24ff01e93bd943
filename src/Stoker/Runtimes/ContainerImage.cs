using System.Text.Json;
using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>
/// What the image of a running container says of its health. The container is asked for its image first: by now the image's name may
/// mean another one. Both tools print the durations in nanoseconds:
/// <code>
/// {"Test":["CMD-SHELL","curl -f http://localhost/"],"StartPeriod":4000000000,"Interval":2000000000,"Timeout":3000000000,"Retries":5}
/// ["/bin/bash","-c"]
/// </code>
/// </summary>
internal static class ContainerImage
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly string[] UsualShell = ["/bin/sh", "-c"];

    /// <exception cref="IOException">The tool does not say it.</exception>
    public static async Task<ImageHealthcheck> HealthcheckAsync(ContainerHandle container)
    {
        var image = (await AskAsync(container, ["container", "inspect", "--format={{.Image}}", container.Name])).Trim();
        var answer = await AskAsync(container, ["image", "inspect", $"--format={Template(container.Dialect)}", image]);
        return Read(answer) ?? throw new IOException($"`{Path.GetFileName(container.Tool)} image inspect` says of the healthcheck of {image} what is not understood: {answer.Trim()}");
    }

    /// <summary>Null when it is not understood. Nothing, and null, mean that the image has none.</summary>
    public static ImageHealthcheck? Read(string answer)
    {
        var lines = answer.Split('\n', 2);
        try
        {
            using var check = JsonDocument.Parse(Json(lines[0]));
            if (check.RootElement.ValueKind != JsonValueKind.Object) return ImageHealthcheck.None;
            using var shell = JsonDocument.Parse(Json(lines.Length > 1 ? lines[1] : ""));
            return new ImageHealthcheck(CommandOf(Words(check.RootElement, "Test"), Words(shell.RootElement)))
            {
                Interval = Time(check.RootElement, "Interval"),
                Timeout = Time(check.RootElement, "Timeout"),
                Retries = check.RootElement.TryGetProperty("Retries", out var retries) && retries.GetInt32() is > 0 and var number ? number : null,
                StartPeriod = Time(check.RootElement, "StartPeriod"),
                StartInterval = Time(check.RootElement, "StartInterval"),
            };
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Podman has the healthcheck beside the configuration, and knows of no other shell.</summary>
    private static string Template(ContainerDialect dialect) =>
        dialect == ContainerDialect.Docker ? "{{json .Config.Healthcheck}}\n{{json .Config.Shell}}" : "{{json .HealthCheck}}";

    /// <summary>What Go's templates print for a field that is not there is no JSON.</summary>
    private static string Json(string line) => line.Trim() is { Length: > 0 } text and not "<no value>" ? text : "null";

    private static IReadOnlyList<string>? CommandOf(IReadOnlyList<string> test, IReadOnlyList<string> shell) => test switch
    {
        ["CMD", _, ..] => [.. test.Skip(1)],
        ["CMD-SHELL", var line] => [.. shell.Count > 0 ? shell : UsualShell, line],
        _ => null,
    };

    private static List<string> Words(JsonElement parent, string name) => parent.TryGetProperty(name, out var words) ? Words(words) : [];

    private static List<string> Words(JsonElement words) => words.ValueKind == JsonValueKind.Array ? [.. words.EnumerateArray().Select(w => w.GetString()!)] : [];

    private static TimeSpan? Time(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var time) && time.GetInt64() is > 0 and var nanoseconds ? TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick) : null;

    private static async Task<string> AskAsync(ContainerHandle container, IReadOnlyList<string> question) =>
        await ShortCommand.RunAsync(container.Tool, question, container.Environment, Limit) is var outcome && outcome is ShortCommandOutcome.Ended { Status.IsSuccess: true, Output: var output }
            ? output
            : throw new IOException($"`{Path.GetFileName(container.Tool)} {string.Join(' ', question.Take(2))}` failed: {outcome.Words}");
}
