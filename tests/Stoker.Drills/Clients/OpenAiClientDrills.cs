using System.Diagnostics;
using System.Text.Json;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Drills.Clients;

/// <summary>The official JavaScript client through a real gateway: answers, streams, tools, classes of errors, streams that are cut, leaving.</summary>
public sealed class OpenAiClientDrills
{
    private const string Version = "6.49.0";

    [Fact]
    public async Task The_official_client_hears_what_it_should()
    {
        var directory = Path.Combine(Root(), "artifacts", "openai-client");
        Directory.CreateDirectory(directory);
        await InstallAsync(directory);
        File.Copy(Path.Combine(Root(), "tests", "Stoker.Drills", "Clients", "openai.mjs"), Path.Combine(directory, "openai.mjs"), overwrite: true);
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(GatewayBench.Model("org/m", model.Server.Address) with { Aliases = ["fast"], UpstreamNames = ["m"] }));
        var (code, said) = await RunAsync(directory, "node", "openai.mjs", $"http://{bench.Address}/v1");
        Assert.True(code == 0, said);
        Assert.DoesNotContain("FAILED", said);
        await Bench.UntilAsync(async () =>
            (await model.Client.GetStringAsync("/admin/requests")) is var seen && seen.Contains("\"cancelled\"", StringComparison.Ordinal) && !seen.Contains("\"running\"", StringComparison.Ordinal));
    }

    private static async Task InstallAsync(string directory)
    {
        if (File.Exists(Path.Combine(directory, "node_modules", "openai", "package.json"))
            && JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(directory, "node_modules", "openai", "package.json"))).RootElement.GetProperty("version").GetString() == Version) return;
        try
        {
            var (code, said) = await RunAsync(directory, "npm", "install", "--no-audit", "--no-fund", "--prefix", directory, $"openai@{Version}");
            Assert.SkipWhen(code != 0, $"npm cannot install openai@{Version}: {said}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            Assert.Skip($"npm is not installed: {missing.Message}");
        }
    }

    private static async Task<(int Code, string Said)> RunAsync(string directory, string program, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, words) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Stoker.slnx"))) at = at.Parent!;
        return at.FullName;
    }
}
