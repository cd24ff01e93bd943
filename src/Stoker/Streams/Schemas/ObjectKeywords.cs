using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>What is said of objects.</summary>
internal static class ObjectKeywords
{
    public static bool Read(SchemaReader reader, SchemaNode node, string keyword, int token)
    {
        switch (keyword)
        {
            case "properties":
                node.ForObjects.Properties = new NameTable<SchemaNode>([.. reader.Members(token).Select(m => KeyValuePair.Create(m.Name, reader.Compile(m.Token)))]);
                break;
            case "patternProperties":
                node.ForObjects.Patterns = [.. reader.Members(token)
                    .Select(m => (Pattern: ValueKeywords.ReadPattern(reader, m.Token - 1, m.Name), Schema: reader.Compile(m.Token)))
                    .Where(m => m.Pattern is not null).Select(m => (m.Pattern!, m.Schema))];
                break;
            case "additionalProperties":
                node.ForObjects.Additional = reader.Compile(token);
                break;
            case "propertyNames":
                node.ForObjects.Names = reader.Compile(token);
                break;
            case "required":
                node.ForObjects.Required = [.. reader.Texts(token).Select(RequiredName.Of)];
                break;
            case "minProperties":
                node.ForObjects.MinCount = reader.Count(token, 0);
                break;
            case "maxProperties":
                node.ForObjects.MaxCount = reader.Count(token, int.MaxValue);
                break;
            case "dependentRequired":
                node.ForObjects.DependentRequired = [.. reader.Members(token)
                    .Select(m => (RequiredName.Of(m.Name), reader.Texts(m.Token).Select(RequiredName.Of).ToArray()))];
                break;
            case "dependentSchemas":
                node.ForObjects.DependentSchemas = [.. reader.Members(token).Select(m => (RequiredName.Of(m.Name), reader.Compile(m.Token)))];
                break;
            case "unevaluatedProperties":
                node.UnevaluatedProperties = reader.Compile(token);
                break;
            default:
                return false;
        }

        return true;
    }
}
