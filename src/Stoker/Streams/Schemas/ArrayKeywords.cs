using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>What is said of arrays.</summary>
internal static class ArrayKeywords
{
    public static bool Read(SchemaReader reader, SchemaNode node, string keyword, int token)
    {
        switch (keyword)
        {
            case "items":
                if (reader.Tape.Kind(token) == JsonKind.Array) reader.Problem(token, SchemaReader.BadKeyword, "a schema is needed; schemas of single items are `prefixItems`");
                else node.ForArrays.Items = reader.Compile(token);
                break;
            case "prefixItems":
                node.ForArrays.Prefix = reader.Schemas(token);
                break;
            case "contains":
                node.ForArrays.Contains = reader.Compile(token);
                break;
            case "minContains":
                node.ForArrays.MinContains = reader.Count(token, 1);
                break;
            case "maxContains":
                node.ForArrays.MaxContains = reader.Count(token, int.MaxValue);
                break;
            case "minItems":
                node.ForArrays.MinCount = reader.Count(token, 0);
                break;
            case "maxItems":
                node.ForArrays.MaxCount = reader.Count(token, int.MaxValue);
                break;
            case "uniqueItems":
                node.ForArrays.IsUnique = reader.Flag(token);
                break;
            case "unevaluatedItems":
                node.UnevaluatedItems = reader.Compile(token);
                break;
            default:
                return false;
        }

        return true;
    }
}
