using System.Text;
using System.Text.Json;
using Stoker.Streams.Json;
using Stoker.Streams.Schemas;
using Xunit;

namespace Stoker.Tests.Streams.Schemas;

/// <summary>
/// The JSON Schema Test Suite, where a checkout of it is at hand: JSON_SCHEMA_TEST_SUITE names its folder <c>tests/draft2020-12</c>. What is
/// refused when it is read must be refused for a reason that the documentation states; a verdict must never be another one.
/// </summary>
public sealed class OfficialSuiteTests(ITestOutputHelper output)
{
    // Other documents, the dialect's own meta-schema, and what the front door says is refused.
    private static readonly string[] Refusals = [SchemaReader.UnknownKeyword, SchemaReader.BadKeyword, SchemaReader.BadReference];

    private static readonly HashSet<string> CheckedFormats = ["date-time", "date", "time", "uuid", "uri", "uri-reference", "ipv4", "ipv6", "hostname", "email"];

    [Fact]
    public void Every_verdict_is_that_of_the_official_suite()
    {
        var folder = Environment.GetEnvironmentVariable("JSON_SCHEMA_TEST_SUITE");
        Assert.SkipWhen(folder is null, "JSON_SCHEMA_TEST_SUITE does not name a checkout's tests/draft2020-12");
        var (right, wrong, refused) = (0, new List<string>(), new List<string>());
        foreach (var file in Directory.GetFiles(folder, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(folder, file);
            var isFormat = name.StartsWith("optional/format/", StringComparison.Ordinal);
            if (isFormat && !CheckedFormats.Contains(Path.GetFileNameWithoutExtension(file))) continue;
            foreach (var group in JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.EnumerateArray())
            {
                // Whether Punycode decodes to a word is documented as not checked.
                if (group.GetProperty("description").GetString()!.Contains("A-label", StringComparison.Ordinal)) continue;
                var title = $"{name}: {group.GetProperty("description").GetString()}";
                var (schema, problems) = JsonSchema.Read(Encoding.UTF8.GetBytes(group.GetProperty("schema").GetRawText()), new SchemaOptions(AssertsFormats: isFormat));
                if (schema is null)
                {
                    Assert.All(problems, problem => Assert.Contains(problem.Code, Refusals));
                    refused.Add($"{title}: {problems[0].Path}: {problems[0].Message}");
                    continue;
                }

                foreach (var test in group.GetProperty("tests").EnumerateArray())
                {
                    if (Check(schema, test.GetProperty("data").GetRawText()) == test.GetProperty("valid").GetBoolean()) right++;
                    else wrong.Add($"{title}: {test.GetProperty("description").GetString()}");
                }
            }
        }

        output.WriteLine($"{right} right, {wrong.Count} wrong, {refused.Count} schemas refused\n{string.Join('\n', wrong)}\n-- refused\n{string.Join('\n', refused)}");
        Assert.Empty(wrong);
    }

    /// <summary>Both ways of asking must agree.</summary>
    private static bool Check(JsonSchema schema, string text)
    {
        var scanner = new JsonScanner();
        Assert.True(scanner.Scan(Encoding.UTF8.GetBytes(text)).IsNone, text);
        var mistakes = new MistakeList();
        new SchemaCheck().Check(schema, scanner.Tape, 0, 0, mistakes);
        Assert.Equal(mistakes.Count == 0, new SchemaCheck().Fits(schema, scanner.Tape, 0));
        return mistakes.Count == 0;
    }
}
