using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary><c>type</c>, <c>enum</c>, <c>const</c>, and what is said of numbers and texts.</summary>
internal static class ValueKeywords
{
    private static readonly Dictionary<string, SchemaTypes> TypeNames = new()
    {
        ["null"] = SchemaTypes.Null, ["boolean"] = SchemaTypes.Boolean, ["integer"] = SchemaTypes.Integer, ["number"] = SchemaTypes.Number,
        ["string"] = SchemaTypes.String, ["array"] = SchemaTypes.Array, ["object"] = SchemaTypes.Object,
    };

    public static bool Read(SchemaReader reader, SchemaNode node, string keyword, int token)
    {
        switch (keyword)
        {
            case "type":
                node.Types = ReadTypes(reader, token);
                break;
            case "enum":
                node.Enum = reader.Tape.Kind(token) == JsonKind.Array && reader.Tape.Count(token) > 0 ? [.. reader.Items(token)] : [];
                if (node.Enum.Length == 0) reader.Problem(token, SchemaReader.BadKeyword, "an array with at least one value is needed");
                break;
            case "const":
                node.Const = token;
                break;
            case "minLength":
                node.ForTexts.MinLength = reader.Count(token, 0);
                break;
            case "maxLength":
                node.ForTexts.MaxLength = reader.Count(token, int.MaxValue);
                break;
            case "pattern":
                node.ForTexts.Pattern = ReadPattern(reader, token, reader.Text(token));
                break;
            case "format":
                node.ForTexts.Format = ReadFormat(reader, token);
                break;
            default:
                return ReadBound(reader, node, keyword, token);
        }

        return true;
    }

    public static SchemaPattern? ReadPattern(SchemaReader reader, int token, string? written)
    {
        if (written is null) return null;
        var pattern = SchemaPattern.TryRead(written, out var reason);
        if (pattern is null) reader.Problem(token, SchemaReader.BadKeyword, $"the pattern cannot be used: {reason}", got: written);
        return pattern;
    }

    private static bool ReadBound(SchemaReader reader, SchemaNode node, string keyword, int token)
    {
        switch (keyword)
        {
            case "minimum":
                node.ForNumbers.Minimum = reader.Number(token);
                break;
            case "exclusiveMinimum":
                node.ForNumbers.ExclusiveMinimum = reader.Number(token);
                break;
            case "maximum":
                node.ForNumbers.Maximum = reader.Number(token);
                break;
            case "exclusiveMaximum":
                node.ForNumbers.ExclusiveMaximum = reader.Number(token);
                break;
            case "multipleOf":
                node.ForNumbers.MultipleOf = ReadUnit(reader, token);
                break;
            default:
                return false;
        }

        return true;
    }

    private static SchemaNumber? ReadUnit(SchemaReader reader, int token)
    {
        if (reader.Number(token) is not { } unit) return null;
        var number = JsonNumber.Read(unit.Text, new byte[unit.Text.Length]);
        if (!number.IsNegative && !number.Digits.IsEmpty && number.Digits.Length <= JsonNumber.MaxUnitDigits) return unit;
        reader.Problem(token, SchemaReader.BadKeyword, $"a number greater than 0 with at most {JsonNumber.MaxUnitDigits} digits is needed", got: unit.ToString());
        return null;
    }

    private static SchemaTypes ReadTypes(SchemaReader reader, int token)
    {
        var types = SchemaTypes.None;
        var names = reader.Tape.Kind(token) == JsonKind.String ? [reader.Tape.TextOf(token)] : reader.Texts(token);
        foreach (var name in names)
        {
            if (TypeNames.TryGetValue(name, out var type)) types |= type;
            else reader.Problem(token, SchemaReader.BadKeyword, $"there is no type `{name}`", string.Join(", ", TypeNames.Keys));
        }

        if (names.Count == 0) reader.Problem(token, SchemaReader.BadKeyword, "at least one type is needed");
        return types;
    }

    private static SchemaFormat? ReadFormat(SchemaReader reader, int token)
    {
        if (reader.Text(token) is not { } name || !reader.Options.AssertsFormats) return null;
        var format = SchemaFormat.Find(name);
        if (format is null) reader.Problem(token, SchemaReader.UnknownKeyword, $"there is no check for the format `{name}`", SchemaFormat.Names);
        return format;
    }
}
