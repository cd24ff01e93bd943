using System.Runtime.CompilerServices;
using System.Text.Json;
using Stoker.Diagnostics;
using Stoker.Estates;
using Xunit;

namespace Stoker.Tests.Estates;

/// <summary>
/// Every key of the Compose specification's schema is honoured with an effect, warned about, or refused. The schema is walked, so
/// that a new version of it with a new key fails here until somebody decides about the key.
/// </summary>
public sealed class ComposeKeyTests
{
    private const string Others = """
        secrets: {pass: {file: pass.txt}, token: {environment: TOKEN}}
        configs: {conf: {content: x}}
        volumes: {data: null}
        networks: {front: null}
        models: {tiny-llm: {model: ai/tiny, engine: vllm, listen: 0.0.0.0}}
        """;

    private static readonly Dictionary<string, string> Files = new() { ["/srv/estate/vars.env"] = "FROM_FILE=\"quoted\"" };

    private static readonly Dictionary<string, ComposeKey> Rows =
        ComposeTopKeys.Rows.Concat(ComposeServiceKeys.Rows).Concat(ComposeContainerKeys.Rows).ToDictionary(r => r.Path);

    public static TheoryData<string> Keys() => [.. Rows.Keys];

    [Fact]
    public void Every_key_of_the_schema_has_a_row()
    {
        var missing = SchemaKeys().Where(path => !Rows.ContainsKey(path) && !IsBelowUnheeded(path)).ToList();
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_row_is_about_a_key_of_the_schema() => Assert.Empty(Rows.Keys.Except(SchemaKeys()));

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_key_is_honoured_or_said_not_to_be(string path)
    {
        var row = Rows[path];
        switch (row)
        {
            case ComposeKey.Honoured honoured:
                AssertHonoured(honoured, row.IsOfService ? Process(row.Yaml) : row.Yaml);
                if (row.IsOfService) AssertHonoured(honoured, Container(row.Yaml));
                break;
            case ComposeKey.ForContainers only:
                Assert.True(only.Effect(Service(EstateText.Good(Container(row.Yaml), Files))));
                var warning = Assert.Single(EstateText.Read(Process(row.Yaml), Files).Diagnostics);
                Assert.Equal(EstateDiagnostics.NotForProcesses, warning.Code);
                Assert.Contains(row.Yaml[..row.Yaml.IndexOf(':')], warning.Message);
                break;
            case ComposeKey.Built built:
                Assert.True(built.Effect(Service(EstateText.Good(Keyed(row.Yaml), Files)).Build!));
                break;
            case ComposeKey.Warned:
                AssertSaid(row, Severity.Warning);
                break;
            case ComposeKey.Refused:
                AssertSaid(row, Severity.Error);
                break;
        }
    }

    private static void AssertHonoured(ComposeKey.Honoured row, string yaml) => Assert.True(row.Effect(EstateText.Good(yaml, Files)));

    private static void AssertSaid(ComposeKey row, Severity severity)
    {
        var yaml = !row.IsOfService ? row.Yaml : row.Yaml.Contains("build:") || row.Yaml.Contains("image:") ? Keyed(row.Yaml) : Process(row.Yaml);
        var diagnostics = EstateText.Read(yaml, Files).Diagnostics;
        var said = Assert.Single(diagnostics, d => d.Severity == severity);
        Assert.Contains(severity == Severity.Warning ? "no effect" : "refused", said.Message);
        Assert.DoesNotContain(diagnostics, d => d.Severity == Severity.Error && d != said);
    }

    private static string Process(string keys) => Keyed(keys.Contains("command:") && keys.StartsWith("command", StringComparison.Ordinal) ? keys : $"command: run\n{keys}");

    private static string Container(string keys) => Keyed(keys.StartsWith("image", StringComparison.Ordinal) ? keys : $"image: nginx\n{keys}");

    private static string Keyed(string keys) =>
        $"{EstateText.ServiceYaml("a", keys)}  b: {{command: run, healthcheck: {{test: 'true'}}}}\n{Others}";

    private static ServiceSpec Service(EstateSpec estate) => estate.Services[new ServiceName("a")];

    private static bool IsBelowUnheeded(string path) =>
        Rows.Values.Any(r => r is ComposeKey.Warned or ComposeKey.Refused && path.StartsWith(r.Path, StringComparison.Ordinal) && path[r.Path.Length] is '.' or '[');

    private static HashSet<string> SchemaKeys([CallerFilePath] string here = "")
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "compose-spec.schema.json")));
        var keys = new HashSet<string>();
        Walk(schema.RootElement, "", schema.RootElement.GetProperty("definitions"), keys);
        Assert.True(keys.Count > 300);
        return keys;
    }

    private static void Walk(JsonElement node, string path, JsonElement definitions, HashSet<string> keys)
    {
        if (node.TryGetProperty("$ref", out var reference)) node = definitions.GetProperty(reference.GetString()!.Split('/')[^1]);
        foreach (var choice in Elements(node, "oneOf")) Walk(choice, path, definitions, keys);
        foreach (var property in Properties(node, "properties"))
        {
            var below = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            keys.Add(below);
            Walk(property.Value, below, definitions, keys);
        }

        foreach (var pattern in Properties(node, "patternProperties"))
        {
            if (pattern.Name != "^x-") Walk(pattern.Value, $"{path}.*", definitions, keys);
        }

        if (node.TryGetProperty("items", out var items)) Walk(items, $"{path}[]", definitions, keys);
    }

    private static List<JsonElement> Elements(JsonElement node, string name) =>
        node.TryGetProperty(name, out var list) ? [.. list.EnumerateArray()] : [];

    private static List<JsonProperty> Properties(JsonElement node, string name) =>
        node.TryGetProperty(name, out var map) ? [.. map.EnumerateObject()] : [];
}
