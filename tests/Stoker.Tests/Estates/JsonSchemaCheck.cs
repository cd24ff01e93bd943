using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Stoker.Tests.Estates;

/// <summary>
/// The keywords of JSON Schema 2020-12 that the estate's schema uses, evaluated as the specification says. An unknown keyword
/// fails, so that the schema cannot begin to use one that is not checked here.
/// </summary>
internal sealed class JsonSchemaCheck(JsonObject root)
{
    public JsonObject Root => root;

    /// <summary>What is wrong, each with its path; nothing for a valid document.</summary>
    public List<string> Check(JsonNode? document)
    {
        var problems = new List<string>();
        Check(document, root, "", problems);
        return problems;
    }

    private void Check(JsonNode? node, JsonObject schema, string path, List<string> problems)
    {
        foreach (var (keyword, argument) in schema)
        {
            switch (keyword)
            {
                case "$schema" or "$defs" or "title" or "description" or "deprecated":
                    break;
                case "$ref":
                    Check(node, root["$defs"]!.AsObject()[argument!.GetValue<string>()["#/$defs/".Length..]]!.AsObject(), path, problems);
                    break;
                case "type":
                    string[] types = argument is JsonArray list ? [.. list.Select(t => t!.GetValue<string>())] : [argument!.GetValue<string>()];
                    if (!types.Any(t => IsOfType(node, t))) problems.Add($"{path}: not {string.Join(" or ", types)}");
                    break;
                case "enum":
                    if (!argument!.AsArray().Any(v => JsonNode.DeepEquals(v, node))) problems.Add($"{path}: not one of {argument!.ToJsonString()}");
                    break;
                case "anyOf":
                    if (!argument!.AsArray().Any(choice => IsValid(node, choice!.AsObject()))) problems.Add($"{path}: none of {argument!.AsArray().Count} choices");
                    break;
                case "pattern":
                    if (Text(node) is { } text && !Regex.IsMatch(text, argument!.GetValue<string>(), RegexOptions.ECMAScript)) problems.Add($"{path}: does not match");
                    break;
                case "minLength":
                    if (Text(node) is { } counted && counted.Length < argument!.GetValue<int>()) problems.Add($"{path}: too short");
                    break;
                case "minimum":
                    if (Number(node) is { } low && low < argument!.GetValue<double>()) problems.Add($"{path}: too small");
                    break;
                case "maximum":
                    if (Number(node) is { } high && high > argument!.GetValue<double>()) problems.Add($"{path}: too large");
                    break;
                case "items":
                    foreach (var (item, i) in (node as JsonArray ?? []).Select((item, i) => (item, i))) Check(item, argument!.AsObject(), $"{path}[{i}]", problems);
                    break;
                case "uniqueItems":
                    if (node is JsonArray items && items.Select(i => i?.ToJsonString()).Distinct().Count() < items.Count) problems.Add($"{path}: repeated");
                    break;
                case "required":
                    foreach (var name in node is JsonObject ? argument!.AsArray().Select(n => n!.GetValue<string>()) : [])
                    {
                        if (!node!.AsObject().ContainsKey(name)) problems.Add($"{path}: {name} is missing");
                    }

                    break;
                case "properties":
                    foreach (var (name, value) in node as JsonObject ?? [])
                    {
                        if (argument!.AsObject().TryGetPropertyValue(name, out var property)) Check(value, property!.AsObject(), $"{path}.{name}", problems);
                    }

                    break;
                case "patternProperties" or "additionalProperties":
                    CheckOthers(node as JsonObject ?? [], schema, keyword, path, problems);
                    break;
                default:
                    throw new InvalidOperationException($"keyword {keyword} is not evaluated");
            }
        }
    }

    private void CheckOthers(JsonObject node, JsonObject schema, string keyword, string path, List<string> problems)
    {
        foreach (var (name, value) in node)
        {
            var patterns = (schema["patternProperties"] as JsonObject ?? []).Where(p => Regex.IsMatch(name, p.Key)).ToList();
            if (keyword == "patternProperties")
            {
                foreach (var (_, pattern) in patterns) Check(value, pattern!.AsObject(), $"{path}.{name}", problems);
            }
            else if (patterns.Count == 0 && schema["properties"]?[name] is null)
            {
                if (schema["additionalProperties"] is JsonObject others) Check(value, others, $"{path}.{name}", problems);
                else problems.Add($"{path}.{name}: unknown");
            }
        }
    }

    private bool IsValid(JsonNode? node, JsonObject schema)
    {
        var problems = new List<string>();
        Check(node, schema, "", problems);
        return problems.Count == 0;
    }

    private static bool IsOfType(JsonNode? node, string type) => (node?.GetValueKind(), type) switch
    {
        (null, "null") => true,
        (JsonValueKind.Object, "object") or (JsonValueKind.Array, "array") or (JsonValueKind.String, "string") or (JsonValueKind.Number, "number") => true,
        (JsonValueKind.True or JsonValueKind.False, "boolean") => true,
        (JsonValueKind.Number, "integer") => double.IsInteger(Number(node)!.Value),
        _ => false,
    };

    private static string? Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    private static double? Number(JsonNode? node) => node?.GetValueKind() == JsonValueKind.Number ? double.Parse(node.ToJsonString()) : null;
}
