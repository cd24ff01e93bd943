using System.Buffers;
using System.Text;
using System.Text.Json;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Streams.Json;
using Stoker.Streams.Transform;

namespace Stoker.Streams;

/// <summary>Reads <c>map:</c> and <c>enrich:</c> of a stream. Whether the mappings fit together is found by making them.</summary>
internal sealed class StreamMapReader(EstateSpec estate, DiagnosticBag bag)
{
    /// <summary>Null: nothing is declared.</summary>
    public StreamMapPlan? Read(MappingNode? stream)
    {
        var (map, path) = (stream.Map("map"), ReadHostPath(stream.Map("enrich")));
        if (map is null && path is null) return null;
        var fields = new TransformSpec
        {
            Map = [.. map.Named("set").Select(ReadSet)],
            Rename = [.. map.Named("rename").Select(ReadRename)],
            Drop = [.. map.Strings("drop").Select(drop => drop.Value)],
        };
        Check(fields, map);
        return new StreamMapPlan { Fields = fields, HostPath = path, Hosts = path is null ? [] : [.. estate.Hosts.Values.Select(FactsOf)] }.Versioned(map.Text("version"));
    }

    private static MapSpec ReadSet((string Name, ScalarNode Key, Node Value) set) =>
        set.Value is MappingNode constant ? new MapSpec(set.Name, null, JsonOf(constant.Find("value"))) : new MapSpec(set.Name, (set.Value as ScalarNode)?.Value ?? "");

    private static RenameSpec ReadRename((string Name, ScalarNode Key, Node Value) rename) => new(rename.Name, (rename.Value as ScalarNode)?.Value ?? "");

    private void Check(TransformSpec fields, MappingNode? map)
    {
        var places = new Dictionary<string, SourcePosition>(StringComparer.Ordinal);
        foreach (var (name, key, value) in map.Named("set").Concat(map.Named("rename")))
        {
            places.TryAdd(name, key.Where);
            if (value is ScalarNode { Value: { } path }) places.TryAdd(path, value.Where);
        }

        foreach (var (drop, where) in map.Strings("drop")) places.TryAdd(drop, where);
        foreach (var problem in TransformPlan.Make(fields).Problems)
        {
            var at = places.GetValueOrDefault(problem.Path, map!.Where);
            bag.Add(StreamDiagnostics.InvalidMap, at, $"`{problem.Path}` cannot be mapped: {problem.Message}", "a path of the document, as in `$.extra.label`");
        }
    }

    private string? ReadHostPath(MappingNode? enrich)
    {
        if (enrich.PositionedText("host") is not { } path) return null;
        if (FieldPath.TryRead(path.Value, out var reason) is null)
        {
            bag.Add(StreamDiagnostics.InvalidMap, path.Where, $"`{path.Value}` cannot be looked up: this is not a path: {reason}", "where the event's data name their host, as in `$.extra.host`");
            return null;
        }

        if (estate.Hosts.Count == 0)
            bag.Add(StreamDiagnostics.NoHosts, path.Where, "events are looked up among the estate's hosts, and it has none", "declare them in `hosts`, or remove `enrich`");
        return path.Value;
    }

    private static HostFacts FactsOf(HostSpec host) => new(host.Name.Value)
    {
        Address = host.Address,
        Cpus = host.Cpus,
        Memory = host.Memory?.Bytes,
        Gpus = [.. host.Gpus.Select(card => new HostGpu(card.Model, card.Memory?.Bytes, card.Uuid))],
    };

    private static string JsonOf(Node? node)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output)) Write(json, node);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, Node? node)
    {
        switch (node)
        {
            case MappingNode map:
                json.WriteStartObject();
                foreach (var (name, _, value) in map.Named())
                {
                    json.WritePropertyName(name);
                    Write(json, value);
                }

                json.WriteEndObject();
                break;
            case SequenceNode list:
                json.WriteStartArray();
                foreach (var item in list.Items) Write(json, item);
                json.WriteEndArray();
                break;
            case ScalarNode { Value: { } text } scalar when !scalar.Plain || !IsJson(text):
                json.WriteStringValue(text);
                break;
            case ScalarNode { Value: { } raw }:
                json.WriteRawValue(raw);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    /// <summary>Without quotes, a number of JSON is one, digit for digit, and so are <c>true</c> and <c>false</c>; anything else is a text.</summary>
    private static bool IsJson(string text) => text is "true" or "false" || ((text[0] == '-' || char.IsAsciiDigit(text[0])) && new JsonScanner().Scan(Encoding.UTF8.GetBytes(text)).IsNone);
}
