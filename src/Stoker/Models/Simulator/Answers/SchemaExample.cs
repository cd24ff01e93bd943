using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Stoker.Models.Simulator.Engine;
using Stoker.StandIns;

namespace Stoker.Models.Simulator.Answers;

/// <summary>
/// JSON that a schema allows: types, enums, constants, objects with all their properties, lists, bounds of numbers, lengths and lists, formats,
/// patterns where an example can be made, references within the schema, <c>allOf</c>, and the first of <c>anyOf</c> and <c>oneOf</c>.
/// What a schema forbids by <c>not</c>, <c>if</c> or dependencies is not looked at.
/// </summary>
internal ref struct SchemaExample
{
    private const int Deepest = 24, TooDeepForOptional = 5, LongestList = 100;

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly JsonElement _root;
    private readonly Utf8JsonWriter _json;
    private Chance _chance;

    private SchemaExample(JsonElement root, Utf8JsonWriter json, Chance chance)
    {
        _root = root;
        _json = json;
        _chance = chance;
    }

    public static string Make(JsonElement schema, Chance chance)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Readable);
        new SchemaExample(schema, json, chance).Value(schema, 0);
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void Value(JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > Deepest)
        {
            _json.WriteNullValue();
        }
        else if (schema.TryGetProperty("const", out var constant) || schema.TryGetProperty("default", out constant))
        {
            constant.WriteTo(_json);
        }
        else if (schema.TryGetProperty("enum", out var words) && words.ValueKind == JsonValueKind.Array && words.GetArrayLength() > 0)
        {
            words[_chance.Next(words.GetArrayLength())].WriteTo(_json);
        }
        else if (schema.TryGetProperty("$ref", out var reference) && Find(reference) is { } target)
        {
            Value(target, depth + 1);
        }
        else if ((Of(schema, "anyOf") ?? Of(schema, "oneOf")) is { } first)
        {
            Value(depth > TooDeepForOptional ? Simplest(schema) ?? first : first, depth + 1);
        }
        else
        {
            Typed(schema, depth);
        }
    }

    private void Typed(JsonElement schema, int depth)
    {
        switch (TypeOf(schema))
        {
            case "object": Object(schema, depth); break;
            case "array": List(schema, depth); break;
            case "integer": _json.WriteNumberValue((long)Number(schema, whole: true)); break;
            case "number": _json.WriteNumberValue(Number(schema, whole: false)); break;
            case "boolean": _json.WriteBooleanValue(_chance.Next(2) == 1); break;
            case "null": _json.WriteNullValue(); break;
            default: _json.WriteStringValue(Text(schema)); break;
        }
    }

    private void Object(JsonElement schema, int depth)
    {
        _json.WriteStartObject();
        var written = new HashSet<string>();
        Properties(schema, depth, written);
        if (schema.TryGetProperty("allOf", out var all) && all.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in all.EnumerateArray())
                Properties(part.TryGetProperty("$ref", out var reference) && Find(reference) is { } target ? target : part, depth, written);
        }

        _json.WriteEndObject();
    }

    private void Properties(JsonElement schema, int depth, HashSet<string> written)
    {
        if (!schema.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object) return;
        foreach (var property in properties.EnumerateObject())
        {
            if (depth > TooDeepForOptional && !IsRequired(schema, property.Name)) continue;
            if (!written.Add(property.Name)) continue;
            _json.WritePropertyName(property.Name);
            Value(property.Value, depth + 1);
        }
    }

    private void List(JsonElement schema, int depth)
    {
        var least = Whole(schema, "minItems") ?? (depth > TooDeepForOptional ? 0 : 1);
        var count = (int)Math.Min(Math.Min(least, Whole(schema, "maxItems") ?? least), LongestList);
        _json.WriteStartArray();
        var fixedItems = schema.TryGetProperty("prefixItems", out var prefix) && prefix.ValueKind == JsonValueKind.Array ? prefix.GetArrayLength() : 0;
        for (var i = 0; i < Math.Max(count, fixedItems); i++)
        {
            if (i < fixedItems) Value(prefix[i], depth + 1);
            else if (schema.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Object) Value(items, depth + 1);
            else _json.WriteStringValue(Grammar.Words(ref _chance));
        }

        _json.WriteEndArray();
    }

    private double Number(JsonElement schema, bool whole)
    {
        var step = Real(schema, "multipleOf") ?? (whole ? 1 : 0);
        var small = whole ? 1 : 0.001;
        var low = Real(schema, "minimum") ?? (Real(schema, "exclusiveMinimum") is { } above ? above + small : null);
        var high = Real(schema, "maximum") ?? (Real(schema, "exclusiveMaximum") is { } below ? below - small : null);
        var from = low ?? Math.Min(0, high ?? 0);
        var to = high ?? from + 100;
        var value = from + (_chance.NextDouble() * (to - from));
        if (step <= 0) return Math.Clamp(Math.Round(value, 3), from, to);
        // The steps that lie within the bounds.
        var lowest = Math.Ceiling(from / step);
        return Math.Clamp(Math.Round(value / step), lowest, Math.Max(lowest, Math.Floor(to / step))) * step;
    }

    private string Text(JsonElement schema)
    {
        if (schema.TryGetProperty("pattern", out var pattern) && pattern.GetString() is { } shape && PatternExample.TryMake(shape, out var line)) return line;
        var text = (schema.TryGetProperty("format", out var format) ? format.GetString() : null) switch
        {
            "date-time" => $"2026-0{1 + _chance.Next(9)}-1{_chance.Next(9)}T12:00:00Z",
            "date" => $"2026-0{1 + _chance.Next(9)}-1{_chance.Next(9)}",
            "time" => "12:00:00Z",
            "email" => $"user{_chance.Next(100)}@example.org",
            "uuid" => $"{_chance.Letters(8)}-{_chance.Letters(4)}-4{_chance.Letters(3)}-a{_chance.Letters(3)}-{_chance.Letters(12)}",
            "uri" or "url" => $"https://example.org/{_chance.Letters(6)}",
            "hostname" => "example.org",
            "ipv4" => $"192.0.2.{_chance.Next(255)}",
            "ipv6" => $"2001:db8::{_chance.Next(9999):x}",
            _ => Grammar.Words(ref _chance),
        };
        var least = (int)Math.Min(Whole(schema, "minLength") ?? 0, 10_000);
        while (text.Length < least) text += " " + Grammar.Words(ref _chance);
        return Whole(schema, "maxLength") is { } most && most < text.Length ? text[..(int)Math.Max(0, most)] : text;
    }

    private static string TypeOf(JsonElement schema)
    {
        if (schema.TryGetProperty("type", out var type))
        {
            if (type.ValueKind == JsonValueKind.String) return type.GetString()!;
            if (type.ValueKind == JsonValueKind.Array)
                return type.EnumerateArray().Select(one => one.GetString() ?? "").FirstOrDefault(one => one != "null") ?? "null";
        }

        if (schema.TryGetProperty("properties", out _) || schema.TryGetProperty("allOf", out _)) return "object";
        return schema.TryGetProperty("items", out _) || schema.TryGetProperty("prefixItems", out _) ? "array" : "string";
    }

    private static bool IsRequired(JsonElement schema, string name) =>
        schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array
        && required.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.ValueEquals(name));

    private static JsonElement? Of(JsonElement schema, string word) =>
        schema.TryGetProperty(word, out var several) && several.ValueKind == JsonValueKind.Array && several.GetArrayLength() > 0 ? several[0] : null;

    /// <summary>The way out of a schema that contains itself: an alternative that is no object.</summary>
    private static JsonElement? Simplest(JsonElement schema)
    {
        foreach (var word in (ReadOnlySpan<string>)["anyOf", "oneOf"])
        {
            if (!schema.TryGetProperty(word, out var several)) continue;
            foreach (var one in several.EnumerateArray())
            {
                if (one.ValueKind == JsonValueKind.Object && !one.TryGetProperty("$ref", out _) && TypeOf(one) is not ("object" or "array")) return one;
            }
        }

        return null;
    }

    private readonly JsonElement? Find(JsonElement reference)
    {
        if (reference.GetString() is not { } path || !path.StartsWith('#')) return null;
        var at = _root;
        foreach (var word in path[1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = word.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return null;
        }

        return at;
    }

    private static double? Real(JsonElement schema, string word) =>
        schema.TryGetProperty(word, out var number) && number.ValueKind == JsonValueKind.Number ? number.GetDouble() : null;

    private static long? Whole(JsonElement schema, string word) => Real(schema, word) is { } number ? (long)number : null;
}
