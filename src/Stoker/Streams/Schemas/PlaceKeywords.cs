using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>What is checked at the same place, what names and refers, and what is only said to readers.</summary>
internal static class PlaceKeywords
{
    public static bool Read(SchemaReader reader, SchemaNode node, string keyword, int schema, int token)
    {
        switch (keyword)
        {
            case "allOf":
                node.All.AddRange(reader.Schemas(token));
                break;
            case "anyOf":
                node.Any = reader.Schemas(token);
                break;
            case "oneOf":
                node.One = reader.Schemas(token);
                break;
            case "not":
                node.Not = reader.Compile(token);
                break;
            case "if":
                node.If = reader.Compile(token);
                break;
            case "then":
                node.Then = reader.Compile(token);
                break;
            case "else":
                node.Else = reader.Compile(token);
                break;
            case "title" or "description" or "default" or "examples" or "deprecated" or "readOnly" or "writeOnly" or "$comment"
                or "contentEncoding" or "contentMediaType" or "contentSchema":
                break;
            default:
                return ReadNaming(reader, node, keyword, schema, token);
        }

        return true;
    }

    /// <summary>What other drafts' words are called now.</summary>
    public static string Instead(string keyword) => keyword switch
    {
        "dependencies" => ": it is `dependentRequired` and `dependentSchemas` now",
        "additionalItems" => ": it is `items` beside `prefixItems` now",
        "id" => ": it is `$id`",
        "$recursiveRef" or "$recursiveAnchor" or "$dynamicRef" or "$dynamicAnchor" => ": use `$ref` and `$anchor`",
        _ => "",
    };

    private static bool ReadNaming(SchemaReader reader, SchemaNode node, string keyword, int schema, int token)
    {
        switch (keyword)
        {
            case "$ref":
                if (reader.Text(token) is not null) reader.Refer(node, token);
                break;
            case "$defs" or "definitions":
                foreach (var (_, definition) in reader.Members(token)) reader.Compile(definition);
                break;
            case "$anchor":
                if (reader.Text(token) is { } anchor && !reader.Anchors.TryAdd(anchor, schema)) reader.Problem(token, SchemaReader.BadReference, $"the anchor `{anchor}` stands twice");
                break;
            case "$id":
                if (schema == 0) reader.Id = reader.Text(token);
                else reader.Problem(token, SchemaReader.BadReference, "only the whole schema can have an `$id`");
                break;
            case "$schema":
                if (schema != 0 || reader.Text(token)?.TrimEnd('#') is not SchemasModule.Dialect)
                    reader.Problem(token, SchemaReader.BadReference, "only the draft 2020-12 is read", SchemasModule.Dialect, JsonPath.Show(reader.Tape, token));
                break;
            default:
                return false;
        }

        return true;
    }
}
