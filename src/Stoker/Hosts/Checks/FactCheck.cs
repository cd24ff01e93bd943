using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoker.Hosts.Facts;

namespace Stoker.Hosts.Checks;

/// <summary>Holds one fact to what is expected of it. A path goes through the document of facts: keys by dots, items by number or by their name: <c>disks.nvme0n1.health</c>.</summary>
internal static class FactCheck
{
    private static readonly string[] NameKeys = ["name", "path", "package", "address"];

    public static async Task MakeAsync(CheckSubject.Fact fact, CheckDoors doors, Findings findings) =>
        Judge(fact, await doors.FactsAsync(), findings);

    public static void Judge(CheckSubject.Fact fact, HostFacts facts, Findings findings)
    {
        var document = JsonSerializer.SerializeToNode(facts, FactsJson.Readable.HostFacts);
        var (node, isThere) = Walk(document, fact.Path);
        const string evidence = "stoker host facts";
        switch (node)
        {
            case JsonValue value:
                findings.Add(fact.Path, fact.Is, Text(value), evidence);
                break;
            case JsonArray { Count: > 0 } list when list.All(i => i is JsonValue):
                var texts = list.Select(i => Text((JsonValue)i!)).ToList();
                findings.Add(fact.Path, fact.Is.Text, string.Join(", ", texts), fact.Is.Text.StartsWith('!') ? texts.TrueForAll(fact.Is.IsMetBy) : texts.Exists(fact.Is.IsMetBy), evidence);
                break;
            case JsonArray or JsonObject:
                var isEmpty = node is JsonArray { Count: 0 };
                findings.Unknown(fact.Path, fact.Is.Text, isEmpty ? Why(facts, fact.Path) ?? "there is none" : "it is not a single value: name what is in it");
                break;
            default:
                findings.Unknown(fact.Path, fact.Is.Text, Why(facts, fact.Path) ?? (isThere ? "this machine does not tell it" : "there is no such fact: `stoker host facts --json` shows all"));
                break;
        }
    }

    private static string Text(JsonValue value) =>
        value.TryGetValue<string>(out var text) ? text
        : value.TryGetValue<bool>(out var flag) ? flag ? "true" : "false"
        : value.TryGetValue<double>(out var number) ? number.ToString("0.###", CultureInfo.InvariantCulture)
        : value.ToString();

    /// <summary>The reason that readers gave for this fact, or for what it would be in.</summary>
    private static string? Why(HostFacts facts, string path) =>
        facts.Unknown.FirstOrDefault(u => path == u.Fact || path.StartsWith(u.Fact + ".", StringComparison.Ordinal) || Plain(path) == u.Fact)?.Why;

    /// <summary>Without the numbers and names of items: <c>disks.sda.health</c> as <c>disks.health</c>.</summary>
    private static string Plain(string path) => path.Split('.') is [var list, _, .. var rest] ? string.Join('.', rest.Prepend(list)) : path;

    private static (JsonNode? Node, bool IsThere) Walk(JsonNode? node, string path)
    {
        var steps = path.Split('.');
        for (var i = 0; i < steps.Length; i++)
        {
            switch (node)
            {
                case JsonObject map when map.ContainsKey(steps[i]):
                    node = map[steps[i]];
                    break;
                case JsonArray list when int.TryParse(steps[i], NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Count:
                    node = list[index];
                    break;
                case JsonArray list:
                    // A name may have dots itself, and a mount has slashes.
                    if (Named(list, steps, ref i) is not { } item) return (null, false);
                    node = item;
                    break;
                default:
                    return (null, node is null && i > 0);
            }
        }

        return (node, true);
    }

    private static JsonNode? Named(JsonArray list, string[] steps, ref int at)
    {
        for (var end = steps.Length; end > at; end--)
        {
            var name = string.Join('.', steps[at..end]);
            foreach (var item in list)
            {
                if (item is not JsonObject map || !NameKeys.Any(key => map[key] is JsonValue value && value.TryGetValue<string>(out var text) && text == name)) continue;
                at = end - 1;
                return item;
            }
        }

        return null;
    }
}
