using System.Buffers;
using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

internal static class ObjectChecks
{
    public static bool Fits(SchemaCheck check, SchemaObjectRules rules, int token, EvaluatedSet? seen)
    {
        var fits = FitsCounts(check, rules, token);
        if ((fits || !check.IsQuiet) && LooksAtProperties(rules)) fits &= FitsProperties(check, rules, token, seen);
        foreach (var name in rules.Required)
        {
            if (!fits && check.IsQuiet) return false;
            if (check.Tape.Find(token, name.Bytes) < 0) fits = check.Fail(token, MistakeCodes.Missing, "this field is missing", under: name.Name);
        }

        return (fits || !check.IsQuiet) && fits & FitsDependents(check, rules, token, seen);
    }

    private static bool FitsCounts(SchemaCheck check, SchemaObjectRules rules, int token)
    {
        var count = check.Tape.Count(token);
        if (count < rules.MinCount) return check.Fail(token, MistakeCodes.TooFewFields, "the object has too few fields", check.IsQuiet ? null : $"at least {rules.MinCount}", token);
        return count <= rules.MaxCount || check.Fail(token, MistakeCodes.TooManyFields, "the object has too many fields", check.IsQuiet ? null : $"at most {rules.MaxCount}", token);
    }

    private static bool LooksAtProperties(SchemaObjectRules rules) =>
        rules.Properties is not null || rules.Patterns.Length > 0 || rules.Additional is not null || rules.Names is not null;

    private static bool FitsProperties(SchemaCheck check, SchemaObjectRules rules, int token, EvaluatedSet? seen)
    {
        var tape = check.Tape;
        var fits = true;
        var index = 0;
        for (var name = token + 1; name < tape.Next(token); name = tape.Next(name + 1), index++)
        {
            if (rules.Names is { } names) fits &= FitsName(check, names, name);
            var isKnown = false;
            if (rules.Properties is { } properties && Find(tape, properties, name) is { } property)
            {
                isKnown = true;
                fits &= check.Apply(property, name + 1, null);
            }

            foreach (var (pattern, schema) in rules.Patterns)
            {
                if (!pattern.IsIn(tape.Content(name), tape.IsEscaped(name))) continue;
                isKnown = true;
                fits &= check.Apply(schema, name + 1, null);
            }

            if (!isKnown && rules.Additional is { } additional)
            {
                isKnown = true;
                if (additional.Always == false) fits &= check.Fail(name, MistakeCodes.UnknownField, "this field is not known here");
                else fits &= check.Apply(additional, name + 1, null);
            }

            if (isKnown) seen?.Mark(index);
            if (!fits && check.IsQuiet) return false;
        }

        return fits;
    }

    private static bool FitsName(SchemaCheck check, SchemaNode names, int name) =>
        check.FitsQuietly(names, name, null) || check.Fail(name, MistakeCodes.FieldName, "a field may not have this name", got: name);

    private static SchemaNode? Find(JsonTape tape, NameTable<SchemaNode> properties, int name)
    {
        var content = tape.Content(name);
        if (!tape.IsEscaped(name)) return properties.Find(content);
        var room = ArrayPool<byte>.Shared.Rent(content.Length);
        var found = properties.Find(room.AsSpan(0, JsonText.Unescape(content, room)));
        ArrayPool<byte>.Shared.Return(room);
        return found;
    }

    private static bool FitsDependents(SchemaCheck check, SchemaObjectRules rules, int token, EvaluatedSet? seen)
    {
        var fits = true;
        foreach (var (name, required) in rules.DependentRequired)
        {
            if (check.Tape.Find(token, name.Bytes) < 0) continue;
            foreach (var other in required)
            {
                if (check.Tape.Find(token, other.Bytes) < 0)
                    fits = check.Fail(token, MistakeCodes.Missing, check.IsQuiet ? "" : $"this field is missing: it is needed beside `{name.Name}`", under: other.Name);
            }
        }

        foreach (var (name, schema) in rules.DependentSchemas)
        {
            if (!fits && check.IsQuiet) return false;
            if (check.Tape.Find(token, name.Bytes) >= 0) fits &= check.Apply(schema, token, seen);
        }

        return fits;
    }
}
