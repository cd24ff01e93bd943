using System.Reflection;
using System.Runtime.CompilerServices;
using Stoker.Diagnostics;
using Stoker.Estates;
using Xunit;
using static Stoker.Tests.Estates.EstateText;

namespace Stoker.Tests.Estates;

public sealed class EstateReaderTests
{
    [Fact]
    public void Hosts_groups_and_sections_are_read()
    {
        var estate = Good("""
            name: ai-system
            hosts:
              mainpc: {address: 192.168.1.10, cpus: 16, memory: 64GiB, gpus: [{model: NVIDIA GeForce RTX 4090, memory: 24GiB, count: 2}]}
              pc2: {address: 192.168.1.11, gpus: [NVIDIA GeForce RTX 3060]}
              local:
            groups:
              infra_core: {host: mainpc, description: what all others need}
              vision_gpu: {host: mainpc, depends_on: [infra_core], gpu: {memory: 6GiB, share: mps}}
            services:
              redis: {group: infra_core, command: redis-server}
            objectives:
              availability: {service: redis, target: 99.5%}
            """);
        var mainpc = estate.Hosts[new HostName("mainpc")];
        Assert.Equal("ai-system", estate.Name);
        Assert.Equal(["NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4090"], mainpc.Gpus.Select(g => g.Model));
        Assert.Equal((16.0, 64L << 30), (mainpc.Cpus, mainpc.Memory!.Value.Bytes));
        Assert.Null(estate.Hosts[new HostName("local")].Address);
        var vision = estate.Groups[new GroupName("vision_gpu")];
        Assert.Equal(("infra_core", "mps", 6L << 30), (vision.DependsOn.Single().Value.Value, vision.Gpu!.Share, vision.Gpu.Memory!.Value.Bytes));
        Assert.Equal(["objectives"], estate.Sections.Keys);
    }

    [Theory]
    [InlineData("services: {}", "estate1")]
    [InlineData("name: shop_2", "shop_2")]
    public void An_estate_without_a_name_is_called_like_its_directory(string yaml, string name) => Assert.Equal(name, Good(yaml).Name);

    [Fact]
    public void Services_keep_the_order_of_the_file()
    {
        var estate = Good("services: {z: {command: a}, a: {command: a}, m: {command: a}}");
        Assert.Equal(["z", "a", "m"], estate.Services.Keys.Select(s => s.Value));
    }

    [Fact]
    public void A_service_may_be_called_like_an_extension_field() =>
        Assert.Single(Good("services: {x-ray: {command: a}}").Services);

    [Fact]
    public void One_wrong_service_leaves_the_others_read()
    {
        var (estate, diagnostics) = Read("services: {a: [wrong], b: {command: run, ports: [none, '80']}, c: {command: run}}");
        Assert.Equal(["b", "c"], estate.Services.Keys.Select(s => s.Value));
        Assert.Single(estate.Services[new ServiceName("b")].Ports);
        Assert.Equal(2, diagnostics.Count);
    }

    [Fact]
    public void Sections_to_come_are_kept_and_said_to_be()
    {
        var bag = new DiagnosticBag();
        var root = Stoker.Estates.Yaml.NodeParser.Parse("gateway: {listen: x}\n", "stoker.yaml", bag)!.Root;
        var context = new Stoker.Estates.Reading.ReadContext(
            "e", "stoker.yaml", "/e", _ => "/e", new Dictionary<string, string>(), new Stoker.Estates.Yaml.VariableFiles(new Yaml.FakeEstateFiles(), new Dictionary<string, string>()),
            [new SectionSpec("gateway", "The gateway.", IsActedOn: false)]);
        var estate = EstateReader.Read(root, context, bag);
        Assert.True(estate!.Sections.ContainsKey("gateway"));
        Assert.Equal(["stoker.yaml:1:1: warning EST100: section `gateway` is not acted on by this version"], bag.Select(d => d.ToString()));
    }

    [Fact]
    public void Every_code_has_a_bad_file()
    {
        var shown = string.Concat(Directory().EnumerateFiles("*.diagnostics", SearchOption.AllDirectories).Select(f => File.ReadAllText(f.FullName)));
        var codes = typeof(EstateDiagnostics).GetFields(BindingFlags.Static | BindingFlags.Public).Select(f => (DiagnosticCode)f.GetValue(null)!).ToList();
        Assert.Equal(codes.Count, codes.Select(c => c.Id).Distinct().Count());
        Assert.Empty(codes.Where(c => !shown.Contains($" {c.Severity.ToString().ToLowerInvariant()} {c.Id}: ", StringComparison.Ordinal)).Select(c => c.Id));
    }

    [Fact]
    public void A_thousand_services_say_nothing_and_keep_their_dependencies()
    {
        var yaml = "services:\n" + string.Concat(Enumerable.Range(0, 1000).Select(i =>
            $"  s{i}:\n    command: run --port {7000 + i}\n    ports: ['{7000 + i}']\n    healthcheck: {{tcp: {7000 + i}, interval: 5s}}\n"
            + (i == 0 ? "" : $"    depends_on: {{s{i / 2}: {{condition: service_healthy}}}}\n")));
        var estate = Good(yaml);
        Assert.Equal(999, estate.Services.Values.Sum(s => s.DependsOn.Count));
    }

    private static DirectoryInfo Directory([CallerFilePath] string here = "") => new(Path.GetDirectoryName(here)!);
}
