namespace Stoker.Tests.Streams.Schemas;

/// <summary>
/// Schemas of every keyword about the small values of <see cref="Json.RandomJson"/>, the same for the same seed. For Ajv without those where 8.20 says
/// other things than the official suite: <c>unevaluated…</c> over what failed or <c>contains</c>, and <c>contains</c> beside <c>prefixItems</c> of an empty array.
/// </summary>
internal sealed class RandomSchema(Random random, bool isForAjv = false)
{
    private static readonly string[] TypeNames = ["null", "boolean", "integer", "number", "string", "array", "object"];
    private static readonly string[] Names = ["a", "b", "c", "ab", "é"];
    private static readonly string[] Values = ["null", "true", "0", "1", "1.0", "-1.5", "\"a\"", "\"ab\"", "[]", "[1]", "{}", "{\"a\": 1}", "2.5", "1000"];
    private static readonly string[] Patterns = ["^a", "b$", "^.$", "[^a]", "\\\\d", "^\\\\w+$", "a|b", "^$", "(a)(b)?", "\\\\s"];
    private static readonly string[] Numbers = ["-1", "0", "1", "1.5", "2", "10", "1e2"];

    /// <summary>A schema with definitions; only these are referred to, and only from outside of them.</summary>
    public string Text() => $$"""{"$defs": {"x": {{Schema(1, refers: false)}}, "y": {{Schema(2, refers: false)}}}, "allOf": [{{Schema(3, refers: true)}}]}""";

    private string Schema(int depth, bool refers)
    {
        if (random.Next(12) == 0) return random.Next(3) == 0 ? "false" : "true";
        var keywords = new Dictionary<string, string>();
        for (var i = 1 + random.Next(3); i > 0; i--)
        {
            if (depth == 0 || random.Next(2) == 0) AddSimple(keywords);
            else AddApplicator(keywords, depth - 1, refers);
        }

        return $"{{{string.Join(", ", keywords.Select(keyword => $"\"{keyword.Key}\": {keyword.Value}"))}}}";
    }

    private void AddSimple(Dictionary<string, string> keywords)
    {
        var (keyword, value) = random.Next(16) switch
        {
            0 or 1 => ("type", $"\"{Of(TypeNames)}\""),
            2 => ("type", $"[\"{TypeNames[random.Next(3)]}\", \"{TypeNames[3 + random.Next(4)]}\"]"),
            3 => ("enum", $"[{Of(Values)}, {Of(Values)}]"),
            4 => ("const", Of(Values)),
            5 => (Of(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]), Of(Numbers)),
            6 => ("multipleOf", Of(["1", "0.5", "2", "3"])),
            7 => (Of(["minLength", "maxLength"]), $"{random.Next(4)}"),
            8 => ("pattern", $"\"{Of(Patterns)}\""),
            9 => (Of(["minItems", "maxItems"]), $"{random.Next(4)}"),
            10 => ("uniqueItems", "true"),
            11 => (Of(["minProperties", "maxProperties"]), $"{random.Next(4)}"),
            12 => ("required", $"[\"{Of(Names)}\"]"),
            13 => ("dependentRequired", $$"""{"{{Of(Names)}}": ["{{Of(Names)}}"]}"""),
            _ => ("type", """["object", "array"]"""),
        };
        keywords[keyword] = value;
    }

    private void AddApplicator(Dictionary<string, string> keywords, int depth, bool refers)
    {
        string Sub() => Schema(depth, refers);
        string Subs() => $"[{string.Join(", ", Enumerable.Range(0, 1 + random.Next(3)).Select(_ => Sub()))}]";
        string Named() => $$"""{"{{Of(Names[..2])}}": {{Sub()}}, "{{Of(Names[2..])}}": {{Sub()}}}""";
        var (keyword, value) = random.Next(18) switch
        {
            0 or 1 => ("properties", Named()),
            2 => ("additionalProperties", Sub()),
            3 => ("patternProperties", $$"""{"{{Of(Patterns)}}": {{Sub()}}}"""),
            4 => ("propertyNames", Sub()),
            5 => ("items", Sub()),
            6 => ("prefixItems", Subs()),
            7 => ("contains", Sub()),
            8 => ("allOf", Subs()),
            9 => ("anyOf", Subs()),
            10 => ("oneOf", Subs()),
            11 => ("not", Sub()),
            12 => ("if", Sub()),
            13 => ("dependentSchemas", Named()),
            14 => ("unevaluatedProperties", Sub()),
            15 => ("unevaluatedItems", Sub()),
            _ => refers ? ("$ref", $"\"#/$defs/{Of(["x", "y"])}\"") : ("anyOf", Subs()),
        };
        if (isForAjv && (keyword.StartsWith("unevaluated", StringComparison.Ordinal) || (keyword == "contains" && keywords.ContainsKey("prefixItems"))
            || (keyword == "prefixItems" && keywords.ContainsKey("contains")))) return;
        keywords[keyword] = value;
        if (keyword == "if")
        {
            keywords["then"] = Sub();
            keywords["else"] = Sub();
        }

        if (keyword == "contains" && random.Next(2) == 0) keywords[Of(["minContains", "maxContains"])] = $"{random.Next(3)}";
    }

    private string Of(string[] choices) => choices[random.Next(choices.Length)];
}
