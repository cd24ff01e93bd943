using System.Diagnostics;
using System.Text.Json;
using Stoker.Hosts.Facts;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Hosts.Facts;

/// <summary>Facts of the machine that the tests run on, beside what the usual tools say of it.</summary>
public sealed class ThisMachineTests
{
    /// <summary>Of what nobody changes.</summary>
    private static HostFacts Facts { get; } = ReadAsync().GetAwaiter().GetResult();

    [Fact]
    public void Processors_are_those_of_lscpu()
    {
        var fields = JsonDocument.Parse(Run("lscpu", "--json")).RootElement.GetProperty("lscpu").EnumerateArray().SelectMany(Flat)
            .GroupBy(f => f.GetProperty("field").GetString()!.TrimEnd(':')).ToDictionary(g => g.Key, g => g.First().GetProperty("data").GetString());
        Assert.Equal(fields["CPU(s)"], $"{Facts.Cpu.Threads}");
        Assert.Equal(fields["Architecture"], Facts.Cpu.Architecture);
        Assert.Equal(fields["Socket(s)"], $"{Facts.Cpu.Sockets}");
        Assert.Equal(int.Parse(fields["Socket(s)"]!) * int.Parse(fields["Core(s) per socket"]!), Facts.Cpu.Cores);
        Assert.Equal(fields["Model name"], Facts.Cpu.Model);
        if (fields.TryGetValue("NUMA node(s)", out var nodes)) Assert.Equal(nodes, $"{Facts.Numa.Count}");
        if (fields.TryGetValue("Flags", out var flags)) Assert.Equal(flags!.Split(' ').Order(), Facts.Cpu.Flags.Order());
        if (fields.TryGetValue("Hypervisor vendor", out var hypervisor)) Assert.Equal(hypervisor, Facts.Machine.Virtualisation, ignoreCase: true);
    }

    [Fact]
    public async Task Disks_are_those_of_lsblk()
    {
        var (facts, said) = await StillAsync(() => JsonDocument.Parse(Run("lsblk", "--json", "--bytes", "--nodeps", "-o", "NAME,SIZE,RO,RM,TYPE")).RootElement.GetProperty("blockdevices").EnumerateArray()
            .Where(d => d.GetProperty("size").GetInt64() > 0).Select(d => $"{d.GetProperty("name").GetString()} {d.GetProperty("size").GetInt64()} {d.GetProperty("ro").GetBoolean()}"));
        Assert.Equal(said, facts.Disks.Select(d => $"{d.Name} {d.Size} {d.ReadOnly}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Memory_is_that_of_free()
    {
        var lines = Run("free", "-b").Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.Equal(lines.Single(l => l is ["Mem:", ..])[1], $"{Facts.Memory.Total}");
        Assert.Equal(lines.Single(l => l is ["Swap:", ..])[1], $"{Facts.Memory.SwapTotal}");
    }

    [Fact]
    public async Task Links_addresses_and_routes_are_those_of_ip()
    {
        var (facts, said) = await StillAsync(() =>
        [
            .. JsonDocument.Parse(Run("ip", "-j", "addr")).RootElement.EnumerateArray().Select(l => Link(
                l.GetProperty("ifname").GetString()!, l.GetProperty("mtu").GetInt32(),
                l.GetProperty("addr_info").EnumerateArray().Select(a => $"{a.GetProperty("local").GetString()}/{a.GetProperty("prefixlen").GetInt32()}"))),
            .. JsonDocument.Parse(Run("ip", "-j", "-4", "route")).RootElement.EnumerateArray().Select(r => Route(
                r.GetProperty("dst").GetString()!, r.TryGetProperty("gateway", out var via) ? via.GetString() : null, r.GetProperty("dev").GetString()!)),
        ]);
        IEnumerable<string> found =
        [
            .. facts.Network.Links.Select(l => Link(l.Name, l.Mtu, l.Addresses.Select(a => a.Split('%')[0] + (a.Contains('%') ? "/" + a.Split('/')[1] : "")))),
            .. facts.Network.Routes.Where(r => !r.To.Contains(':') && r.Via?.Contains(':') != true).Select(r => Route(r.To, r.Via, r.Link)),
        ];
        Assert.Equal(said, found.Order(StringComparer.Ordinal));

        static string Link(string name, int? mtu, IEnumerable<string> addresses) => $"link {name} {mtu}: {string.Join(' ', addresses.Order(StringComparer.Ordinal))}";

        static string Route(string to, string? via, string link) => $"route {to} by {via} on {link}";
    }

    [Fact]
    public void The_root_file_system_has_the_size_that_df_says()
    {
        var fields = Run("df", "-B1", "--output=size,fstype", "/").Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var root = Facts.Mounts.Single(m => m.Path == "/");
        Assert.Equal((fields[0], fields[1]), ($"{root.Size}", root.Type));
    }

    [Fact]
    public void The_document_of_facts_names_everything_in_lower_case()
    {
        var json = JsonSerializer.Serialize(Facts, FactsJson.Readable.HostFacts);
        using var document = JsonDocument.Parse(json);
        foreach (var part in (string[])["taken_at", "took_ms", "os", "machine", "cpu", "memory", "numa", "disks", "mounts", "network", "power", "sensors", "gpu", "runtimes", "python", "unknown"])
            Assert.True(document.RootElement.TryGetProperty(part, out _), part);
        Assert.Equal(Facts.Cpu.Threads, document.RootElement.GetProperty("cpu").GetProperty("threads").GetInt32());
    }

    private static Task<HostFacts> ReadAsync() => FactsReader.ReadAsync(FactDoors.Of(HostEnvironment.Variables, TimeProvider.System, "/root"), []);

    /// <summary>Facts of a moment in which a tool says the same before and after, in order: containers that come and go on this machine have links and disks, too.</summary>
    private static async Task<(HostFacts Facts, IReadOnlyList<string> Said)> StillAsync(Func<IEnumerable<string>> say)
    {
        for (var tries = 1; ; tries++)
        {
            var before = say().Order(StringComparer.Ordinal).ToList();
            var facts = await ReadAsync();
            if (before.SequenceEqual(say().Order(StringComparer.Ordinal))) return (facts, before);
            Assert.True(tries < 100, "this machine never stands still");
        }
    }

    private static IEnumerable<JsonElement> Flat(JsonElement field) =>
        [field, .. field.TryGetProperty("children", out var children) ? children.EnumerateArray().SelectMany(Flat) : []];

    private static string Run(string tool, params string[] arguments)
    {
        var path = ((string[])["/usr/bin", "/bin", "/usr/sbin", "/sbin"]).Select(d => Path.Combine(d, tool)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{tool} is not installed");
        var start = new ProcessStartInfo(path!, arguments) { RedirectStandardOutput = true };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
