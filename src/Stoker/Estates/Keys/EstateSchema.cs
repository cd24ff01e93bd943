using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoker.Estates.Keys;

/// <summary>
/// The JSON Schema (2020-12) of the estate file, made from the key tables, for completion and checking in editors. Every
/// table becomes a definition; <c>x-</c> keys are allowed in each.
/// </summary>
internal static class EstateSchema
{
    private const string NamePattern = "^[a-zA-Z0-9._-]+$";
    private const string DurationPattern = @"^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+)$";
    private const string SizePattern = @"^[0-9]+(\.[0-9]+)? *([bB]|[kKmMgGtTpP]([iI]?[bB])?)?$";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Generate(IReadOnlyList<SectionSpec> sections)
    {
        var definitions = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        var top = TopKeys.With(sections);
        Define(top, definitions);
        var root = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Stoker estate",
            ["$ref"] = Reference(top),
            ["$defs"] = new JsonObject(definitions.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)d.Value))),
        };
        return root.ToJsonString(Indented);
    }

    private static string Reference(KeyTable table) => $"#/$defs/{table.Name}";

    private static void Define(KeyTable table, SortedDictionary<string, JsonObject> definitions)
    {
        if (definitions.ContainsKey(table.Name)) return;
        var definition = new JsonObject { ["type"] = "object", ["description"] = table.Documentation };
        definitions[table.Name] = definition;
        var properties = new JsonObject();
        foreach (var row in table.Rows)
        {
            var property = Schema(row.Shape, definitions);
            property["description"] = Describe(row);
            if (row.Support is Support.Warned or Support.Refused) property["deprecated"] = true;
            properties[row.Name] = property;
        }

        definition["properties"] = properties;
        var required = table.Rows.Where(r => r.Required).Select(r => (JsonNode?)r.Name).ToArray();
        if (required.Length > 0) definition["required"] = new JsonArray(required);
        if (table.Open) return;
        definition["patternProperties"] = new JsonObject { ["^x-"] = new JsonObject() };
        definition["additionalProperties"] = false;
    }

    private static string Describe(KeyRow row) => row.Support switch
    {
        Support.HonouredForContainers => $"{row.Documentation} Only for containers.",
        Support.ExtensionForProcesses => $"{row.Documentation} Only for plain processes.",
        Support.Warned warned => $"{row.Documentation} No effect: {warned.Reason}.",
        Support.Refused refused => $"{row.Documentation} Refused: {refused.Reason}.",
        Support.NotYet => $"{row.Documentation} Not acted on by this version.",
        _ => row.Documentation,
    };

    private static JsonObject Schema(Shape shape, SortedDictionary<string, JsonObject> definitions)
    {
        switch (shape)
        {
            case Shape.Keyed keyed:
                Define(keyed.Table, definitions);
                return new JsonObject { ["$ref"] = Reference(keyed.Table) };
            case Shape.MapOf { Names: true } map:
                return new JsonObject
                {
                    ["type"] = "object",
                    ["patternProperties"] = new JsonObject { [NamePattern] = Schema(map.Value, definitions) },
                    ["additionalProperties"] = false,
                };
            case Shape.MapOf map:
                return new JsonObject { ["type"] = "object", ["additionalProperties"] = Schema(map.Value, definitions) };
            case Shape.ListOf list:
                var array = new JsonObject { ["type"] = "array", ["items"] = Schema(list.Item, definitions) };
                if (list.Distinct) array["uniqueItems"] = true;
                return array;
            case Shape.OneOf choices:
                return new JsonObject { ["anyOf"] = new JsonArray([.. choices.Choices.Select(c => (JsonNode?)Schema(c, definitions))]) };
            default:
                return Scalar(shape);
        }
    }

    private static JsonObject Scalar(Shape shape) => shape switch
    {
        Shape.Text { MayBeEmpty: true } => new JsonObject { ["type"] = Types("string", "number", "boolean") },
        Shape.Text => new JsonObject { ["type"] = Types("string", "number", "boolean"), ["minLength"] = 1 },
        Shape.Flag => AnyOf(new JsonObject { ["type"] = "boolean" }, Pattern("^([tT]rue|[fF]alse|TRUE|FALSE|[yY]es|[nN]o|[oO]n|[oO]ff|y|n|t|f|1|0)$"), Enumeration(0, 1)),
        Shape.Whole whole => AnyOf(Bounds("integer", whole.Least == long.MinValue ? null : whole.Least, whole.Most == long.MaxValue ? null : whole.Most), Pattern("^[-+]?[0-9]+$")),
        Shape.Number number => AnyOf(
            Bounds("number", double.IsNegativeInfinity(number.Least) ? null : number.Least, double.IsPositiveInfinity(number.Most) ? null : number.Most),
            Pattern(@"^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$")),
        Shape.Duration => AnyOf(Pattern(DurationPattern), Enumeration(0)),
        Shape.Size size => AnyOf(Bounds("number", size.MayBeUnlimited ? -1 : 0, null), Pattern(SizePattern)),
        Shape.Octal => AnyOf(Pattern("^(0o)?[0-7]{1,5}$"), Bounds("integer", 0, null)),
        Shape.Word word => new JsonObject { ["enum"] = new JsonArray([.. word.Words.Select(w => (JsonNode?)w)]) },
        Shape.Nothing => new JsonObject { ["type"] = "null" },
        _ => new JsonObject(),
    };

    private static JsonArray Types(params string[] types) => [.. types.Select(t => (JsonNode?)t)];

    private static JsonObject AnyOf(params JsonObject[] choices) => new() { ["anyOf"] = new JsonArray([.. choices]) };

    private static JsonObject Pattern(string pattern) => new() { ["type"] = "string", ["pattern"] = pattern };

    private static JsonObject Enumeration(params int[] values) => new() { ["enum"] = new JsonArray([.. values.Select(v => (JsonNode?)v)]) };

    private static JsonObject Bounds(string type, double? least, double? most)
    {
        var bounds = new JsonObject { ["type"] = type };
        if (least is { } minimum) bounds["minimum"] = minimum;
        if (most is { } maximum) bounds["maximum"] = maximum;
        return bounds;
    }
}
