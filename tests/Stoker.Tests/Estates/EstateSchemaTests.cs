using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoker.Estates;
using Stoker.Estates.Keys;
using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates;

/// <summary>The JSON Schema says of a file what <c>stoker check</c> says of its keys.</summary>
public sealed class EstateSchemaTests
{
    private static readonly JsonSchemaCheck Schema = new(JsonNode.Parse(EstateSchema.Generate(Modules.Sections))!.AsObject());

    public static TheoryData<string> GoodFiles() =>
        [.. new DirectoryInfo(Here()).EnumerateFiles("good/*.yaml").Select(f => f.Name).Order(StringComparer.Ordinal)];

    public static TheoryData<string> ComposeRows() =>
        [.. ComposeServiceKeys.Rows.Concat(ComposeContainerKeys.Rows).Concat(ComposeTopKeys.Rows).Select(r => r.Path)];

    [Theory]
    [MemberData(nameof(GoodFiles))]
    public void A_good_file_is_valid(string name) => Assert.Empty(Check(File.ReadAllText(Path.Combine(Here(), "good", name))));

    [Theory]
    [MemberData(nameof(ComposeRows))]
    public void What_Compose_allows_is_valid(string path)
    {
        var row = ComposeServiceKeys.Rows.Concat(ComposeContainerKeys.Rows).Concat(ComposeTopKeys.Rows).Single(r => r.Path == path);
        Assert.Empty(Check(row.IsOfService ? EstateText.ServiceYaml("a", row.Yaml) : row.Yaml));
    }

    [Theory]
    [InlineData("servces: {}", "servces")]
    [InlineData("services: {a: {comand: x}}", "comand")]
    [InlineData("services: {a: {command: x, healthcheck: {intervall: 5s}}}", "intervall")]
    [InlineData("services: {a: {command: {a: b}}}", "command")]
    [InlineData("services: {a: {healthcheck: {interval: soon}}}", "interval")]
    [InlineData("services: {a: {deploy: {replicas: -1}}}", "deploy")]
    [InlineData("services: {a: {depends_on: {b: {restart: true}}}}", "depends_on")]
    [InlineData("services: {'a b': {command: x}}", "a b")]
    public void What_is_wrong_is_invalid(string yaml, string about) => Assert.Contains(Check(yaml), problem => problem.Contains(about, StringComparison.Ordinal));

    [Fact]
    public void Every_key_is_described()
    {
        foreach (var (_, definition) in Schema.Root["$defs"]!.AsObject())
        {
            foreach (var (key, property) in definition!["properties"]!.AsObject())
                Assert.EndsWith(".", property!["description"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tables_of_one_name_have_the_same_keys()
    {
        var tables = new Dictionary<string, string>();
        foreach (var table in Tables(TopKeys.With(Modules.Sections)))
        {
            var keys = string.Join(' ', table.Names);
            Assert.Equal(keys, tables.GetValueOrDefault(table.Name, keys));
            tables[table.Name] = keys;
        }

        Assert.True(tables.Count > 40);
    }

    [Theory]
    [InlineData("services.vision.healthcheck.interval", "services.vision.healthcheck.interval", "Time between two probes")]
    [InlineData("services.vision.environment.LOG_LEVEL", "services.vision.environment", "Variables of its environment")]
    [InlineData("services.\"my.service\".image", "services.\"my.service\".image", "Image to run")]
    [InlineData("services.vision.ports[0].target", "services.vision.ports[0].target", "The port inside")]
    [InlineData("services.vision.ports[0]", "services.vision.ports[0]", "A port of a service")]
    [InlineData("services.vision.deploy.resources.limits.memory", "services.vision.deploy.resources.limits.memory", "Memory, as in")]
    [InlineData("services.vision", "services.vision", "A supervised workload")]
    [InlineData("hosts.mainpc.gpus[1].uuid", "hosts.mainpc.gpus[1].uuid", "NVML's UUID")]
    [InlineData("gateway.listen", "gateway.listen", "Address and port")]
    [InlineData("gateway.keys.ci.budget.tokens", "gateway.keys.ci.budget.tokens", "Tokens, prompt and answer")]
    [InlineData("dashboard.listen", "dashboard", "The dashboard")]
    public void Documentation_is_found_by_path(string path, string key, string sentence)
    {
        var found = Assert.IsType<KeyDocumentation>(KeyDocumentation.For(path, Modules.Sections));
        Assert.Equal(key, found.Path);
        Assert.StartsWith(sentence, found.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing.at.all")]
    [InlineData("services..a")]
    [InlineData("")]
    public void There_is_no_documentation_of_nothing(string path) => Assert.Null(KeyDocumentation.For(path, Modules.Sections));

    [Fact]
    public void Documentation_says_what_has_no_effect()
    {
        Assert.Equal("only for containers; for a plain process, it has the capabilities of its user", KeyDocumentation.For("services.a.cap_add", [])!.Support);
        Assert.Equal("an extension of Stoker to Compose", KeyDocumentation.For("services.a.group", [])!.Support);
        Assert.Null(KeyDocumentation.For("services.a.command", [])!.Support);
    }

    private static List<string> Check(string yaml) => Schema.Check(Json(NodeParser.Parse(yaml, "stoker.yaml", [])!.Root));

    private static JsonNode? Json(Node node) => node switch
    {
        MappingNode map => new JsonObject(map.Entries.Select(e => KeyValuePair.Create(e.Key.Value!, Json(e.Value)))),
        SequenceNode list => new JsonArray([.. list.Items.Select(Json)]),
        ScalarNode { Plain: true, Value: { } text } when text is "true" or "false" => JsonValue.Create(text == "true"),
        ScalarNode { Plain: true, Value: { } text } when text.Length < 15 && IsNumber(text) => JsonNode.Parse(text.TrimStart('+')),
        ScalarNode { Value: { } text } => JsonValue.Create(text),
        _ => null,
    };

    private static bool IsNumber(string text)
    {
        try
        {
            return JsonDocument.Parse(text).RootElement.ValueKind == JsonValueKind.Number;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static IEnumerable<KeyTable> Tables(KeyTable table) => [table, .. table.Rows.SelectMany(r => Tables(r.Shape))];

    private static IEnumerable<KeyTable> Tables(Shape shape) => shape switch
    {
        Shape.Keyed keyed => Tables(keyed.Table),
        Shape.ListOf list => Tables(list.Item),
        Shape.MapOf map => Tables(map.Value),
        Shape.OneOf choices => choices.Choices.SelectMany(Tables),
        _ => [],
    };

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
