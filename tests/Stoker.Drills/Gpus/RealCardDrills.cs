using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Gpus;

/// <summary>
/// What only a real card can show: NVML's answers beside those of NVIDIA's own tool, and the program's kernels compiled and run by CUDA's driver. Nothing is set or reset. Skipped where
/// there is no card, which leaves all of it untried there: the other tests ask stand-ins.
/// </summary>
public sealed class RealCardDrills : IDisposable
{
    private readonly Machine _machine;

    public RealCardDrills()
    {
        Assert.SkipUnless(File.Exists("/dev/nvidiactl"), "no NVIDIA card is in this machine: NVML's answers and the kernels are tried on stand-ins alone");
        _machine = new Machine("name: cards\nservices: {}\n");
    }

    public void Dispose() => _machine.Dispose();

    [Fact]
    public void Cards_are_told_as_nvidia_smi_tells_them()
    {
        var told = Tool("index", "uuid", "name", "pci.bus_id", "memory.total", "vbios_version", "compute_cap", "power.default_limit", "clocks.max.sm", "driver_version");
        var list = List();
        Assert.Equal(told.Select(card => card[^1]), Cards(list).Select(_ => (string?)list["driver"]));
        Assert.Equal(told.Select(card => string.Join(", ", card[..^1])), Cards(list).Select(card =>
        {
            var device = card["device"]!;
            return string.Join(", ", Text(card, "index"), Text(device, "uuid"), Text(device, "name"), Text(device, "pci_bus_id"), $"{device["memory"]!.GetValue<long>() >> 20}", Text(device, "vbios"),
                Text(device, "compute_capability"), device["power_default"] is { } watts ? watts.GetValue<double>().ToString("0.00", CultureInfo.InvariantCulture) : "[N/A]", Text(device, "sm_clock_max"));
        }));
    }

    [Fact]
    public void The_page_of_metrics_has_every_card_that_answers()
    {
        var page = _machine.Run("gpu", "metrics").Succeeded().Output;
        Assert.All(Cards(List()), card => Assert.Contains($"DCGM_FI_DEV_FB_USED{{gpu=\"{Text(card, "index")}\",UUID=\"{Text(card["device"]!, "uuid")}\"", page, StringComparison.Ordinal));
    }

    [Fact]
    public void The_kernels_compile_and_what_a_card_computes_and_remembers_is_right()
    {
        var report = _machine.RunFor(TimeSpan.FromMinutes(10), "gpu", "diag", "--level", "3", "--json").Json;
        var tried = 0;
        foreach (var card in report["gpus"]!.AsArray())
        {
            var findings = card!["findings"]!.AsArray().ToDictionary(f => (string)f!["check"]!, f => f!);
            // In use, or of a kind that CUDA does not show here: another card may be tried.
            if ((string)findings["memory_test"]["verdict"]! == "not_done") continue;
            tried++;
            foreach (var check in (string[])["memory_test", "fp32_results", "bf16_results", "fp16_results", "new_errors"])
                Assert.True((string)findings[check]["verdict"]! is "pass" or "unknown", $"{card["name"]}: {check}: {findings[check]["found"]}");
        }

        Assert.SkipWhen(tried == 0, $"no card is free: {report["gpus"]}");
    }

    [Fact]
    public void A_card_at_work_is_seen_to_be_busy()
    {
        using var work = _machine.Start("gpu", "diag", "--for", "2m", "--json");
        try
        {
            _machine.Until("a card is busy, or none is free", () => work.HasExited || Cards(List()).Any(card => card["now"]?["gpu_percent"]?.GetValue<int>() > 90), TimeSpan.FromMinutes(2));
            Assert.SkipWhen(work.HasExited, "no card is free");
            MonitorsTellOfIt();
        }
        finally
        {
            if (!work.HasExited) work.Kill();
        }
    }

    /// <summary>A page that is asked for more than once has what cards with monitors do, and of one at work that its multiprocessors are.</summary>
    private void MonitorsTellOfIt()
    {
        if (Cards(List()).TrueForAll(card => card["now"]!["not_supported"]!.AsArray().Any(name => (string?)name == "activity"))) return;
        var port = FreePorts.Take();
        using var server = _machine.Start("gpu", "metrics", "--listen", $"127.0.0.1:{port}");
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            _machine.Until("the multiprocessors of a card are busy", () => Busiest(client, port) > 0.5, TimeSpan.FromSeconds(60));
        }
        finally
        {
            server.Kill();
        }
    }

    private static double Busiest(HttpClient client, int port)
    {
        try
        {
            var page = client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics")).GetAwaiter().GetResult();
            return page.Split('\n').Where(l => l.StartsWith("DCGM_FI_PROF_SM_ACTIVE{", StringComparison.Ordinal)).Select(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)).DefaultIfEmpty().Max();
        }
        catch (HttpRequestException)
        {
            return 0;
        }
    }

    private static string Text(JsonNode node, string key) => node[key]?.ToString() ?? "[N/A]";

    private static List<JsonNode> Cards(JsonNode list) => [.. list["gpus"]!.AsArray().Select(card => card!)];

    /// <summary>What NVIDIA's tool tells of each card.</summary>
    private static List<string[]> Tool(params string[] fields)
    {
        using var asked = Process.Start(new ProcessStartInfo("nvidia-smi", [$"--query-gpu={string.Join(',', fields)}", "--format=csv,noheader,nounits"]) { RedirectStandardOutput = true })!;
        var told = asked.StandardOutput.ReadToEnd();
        asked.WaitForExit();
        Assert.Equal(0, asked.ExitCode);
        return [.. told.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(", "))];
    }

    private JsonNode List() => _machine.Run("gpu", "list", "--json").Succeeded().Json;
}
