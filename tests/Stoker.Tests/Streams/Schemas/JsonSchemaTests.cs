using System.Text;
using Stoker.Streams.Ingest;
using Stoker.Streams.Json;
using Stoker.Streams.Schemas;
using Stoker.Tests.Streams.Json;
using Xunit;

namespace Stoker.Tests.Streams.Schemas;

public sealed class JsonSchemaTests
{
    [Theory]
    [InlineData("""{"type": "object", "properties": {"a": {"typo": 1}}}""", "$.properties.a.typo unknown_keyword")]
    [InlineData("""{"dependencies": {}}""", "$.dependencies unknown_keyword")]
    [InlineData("""{"items": [{}]}""", "$.items bad_keyword")]
    [InlineData("""{"$ref": "#/$defs/none"}""", "$['$ref'] bad_reference")]
    [InlineData("""{"$ref": "https://example.com/other"}""", "$['$ref'] bad_reference")]
    [InlineData("""{"$ref": "#"}""", "$ bad_reference")]
    [InlineData("""{"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}""", "$['$defs'].a bad_reference")]
    [InlineData("""{"properties": {"x": {"$id": "other"}}}""", "$.properties.x['$id'] bad_reference")]
    [InlineData("""{"$schema": "http://json-schema.org/draft-07/schema#"}""", "$['$schema'] bad_reference")]
    [InlineData("""{"pattern": "a(?=b)"}""", "$.pattern bad_keyword")]
    [InlineData("""{"pattern": "(a)\\1"}""", "$.pattern bad_keyword")]
    [InlineData("""{"pattern": "["}""", "$.pattern bad_keyword")]
    [InlineData("""{"format": "color"}""", "$.format unknown_keyword")]
    [InlineData("""{"multipleOf": 0}""", "$.multipleOf bad_keyword")]
    [InlineData("""{"type": "text", "minLength": -1, "required": "a", "allOf": []}""", "$.type bad_keyword, $.minLength bad_keyword, $.required bad_keyword, $.allOf bad_keyword")]
    [InlineData("""{"a": 1""", "$ not_json")]
    [InlineData("""{"type": "null", "type": "null"}""", "$.type bad_keyword")]
    [InlineData("[]", "$ bad_keyword")]
    public void A_schema_that_cannot_be_held_is_refused_when_it_is_read(string text, string expected)
    {
        var (schema, problems) = JsonSchema.Read(Encoding.UTF8.GetBytes(text));
        Assert.Null(schema);
        Assert.Equal(expected, string.Join(", ", problems.Select(problem => $"{problem.Path} {problem.Code}")));
    }

    [Theory]
    [InlineData("""{"minimum": 9007199254740993}""", "9007199254740992", "$ too_small")]
    [InlineData("""{"maximum": 1e400}""", "1e401", "$ too_big")]
    [InlineData("""{"multipleOf": 0.01}""", "19.99", "")]
    [InlineData("""{"multipleOf": 0.01}""", "19.999", "$ not_a_multiple")]
    [InlineData("""{"multipleOf": 7}""", "7e300", "")]
    [InlineData("""{"type": "integer"}""", "1.0e1", "")]
    [InlineData("""{"enum": [1, {"a": [1.0]}]}""", """{"\u0061": [1]}""", "")]
    [InlineData("""{"uniqueItems": true}""", "[1, 2, 1.0]", "$[2] not_unique")]
    [InlineData("""{"uniqueItems": true}""", """[{"a": 1, "b": 2}, {"b": 2, "a": 1}]""", "$[1] not_unique")]
    [InlineData("""{"maxLength": 1}""", "\"😀\"", "")]
    [InlineData("""{"maxLength": 1}""", "\"\\ud83d\\ude00\"", "")]
    [InlineData("""{"pattern": "^.$"}""", "\"😀\"", "")]
    [InlineData("""{"pattern": "^\\d$"}""", "\"٣\"", "$ pattern")]
    [InlineData("""{"pattern": "a$"}""", "\"a\\n\"", "$ pattern")]
    [InlineData("""{"properties": {"a": {"type": "string"}}, "required": ["b"], "additionalProperties": false}""", """{"a": 1, "c": 2}""", "$.a wrong_type, $.c unknown_field, $.b missing")]
    [InlineData("""{"anyOf": [{"type": "object", "required": ["a"]}, {"type": "string"}]}""", "{}", "$.a missing")]
    [InlineData("""{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}""", "{}", "$ no_match")]
    [InlineData("""{"oneOf": [{}, {"type": "number"}]}""", "1", "$ several_match")]
    [InlineData("""{"allOf": [{"properties": {"a": true}}], "unevaluatedProperties": false}""", """{"a": 1, "b": 1}""", "$.b unknown_field")]
    [InlineData("""{"format": "date-time"}""", "\"2026-02-29T00:00:00Z\"", "$ format")]
    [InlineData("""{"format": "date-time"}""", "\"2016-12-31T23:59:60Z\"", "")]
    [InlineData("""{"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "v": {"type": "integer"}}}}, "$ref": "#/$defs/node"}""", """{"next": {"next": {"v": "x"}}}""", "$.next.next.v wrong_type")]
    public void Every_mistake_is_told_with_its_path(string schema, string value, string expected)
    {
        var (read, problems) = JsonSchema.Read(Encoding.UTF8.GetBytes(schema));
        Assert.Empty(problems);
        Assert.Equal(expected, string.Join(", ", Check(read!, value).Select(mistake => $"{mistake.Path} {mistake.Code}")));
    }

    [Fact]
    public void Asking_whether_it_fits_and_asking_what_is_wrong_agree()
    {
        var random = new Random(6);
        for (var round = 0; round < 2000; round++)
        {
            var text = new RandomSchema(random).Text();
            var (schema, problems) = JsonSchema.Read(Encoding.UTF8.GetBytes(text));
            Assert.True(schema is not null, $"{text}: {string.Join("; ", problems)}");
            for (var i = 0; i < 10; i++) Check(schema, RandomJson.Text(random, 3));
        }
    }

    [Fact]
    public void A_pattern_takes_linear_time()
    {
        var (schema, _) = JsonSchema.Read("""{"pattern": "^(a+)+$"}"""u8.ToArray());
        Assert.NotEmpty(Check(schema!, $"\"{new string('a', 50_000)}b\""));
    }

    [Fact]
    public void The_built_in_schema_is_one() => Assert.NotNull(GpuFacts.Schema);

    private static IReadOnlyList<Mistake> Check(JsonSchema schema, string value)
    {
        var scanner = new JsonScanner();
        Assert.True(scanner.Scan(Encoding.UTF8.GetBytes(value)).IsNone, value);
        var mistakes = new MistakeList();
        new SchemaCheck().Check(schema, scanner.Tape, 0, 0, mistakes);
        Assert.Equal(mistakes.Count == 0, new SchemaCheck().Fits(schema, scanner.Tape, 0));
        return mistakes.Kept;
    }
}
