using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Json;
using Stoker.Streams.Schemas;
using Stoker.Tests.Streams.Json;
using Stoker.Tests.Streams.Schemas;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>Random schemas and values, on which Ajv and the program must agree. What npm installs stays in <c>artifacts/</c>.</summary>
public sealed class AjvDrills
{
    private const string Version = "8.20.0";

    // JavaScript rounds it to a number of which everything is said to be no multiple.
    private const string TooLong = "123456789012345678901234567890";

    private const int Schemas = 1000, ValuesEach = 20;

    [Fact]
    public async Task Ajv_says_the_same_of_random_schemas_and_values()
    {
        var directory = Path.Combine(Root(), "artifacts", "ajv");
        Directory.CreateDirectory(directory);
        await InstallAsync(directory);
        File.Copy(Path.Combine(Root(), "tests", "Stoker.Drills", "Streams", "ajv.mjs"), Path.Combine(directory, "ajv.mjs"), overwrite: true);
        var random = new Random(2020);
        var cases = Enumerable.Range(0, Schemas).Select(_ => (Schema: new RandomSchema(random, isForAjv: true).Text(), Values: Enumerable.Range(0, ValuesEach).Select(_ => Value(random)).ToList())).ToList();
        var file = Path.Combine(directory, "cases.jsonl");
        await File.WriteAllLinesAsync(file, cases.Select(one => $$"""{"schema": {{one.Schema}}, "data": [{{string.Join(',', one.Values)}}]}"""));
        var (code, said, errors) = await RunAsync(directory, "node", "ajv.mjs", file);
        Assert.True(code == 0, errors);
        var answers = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(cases.Count, answers.Length);
        var (valid, invalid, failed, different) = (0, 0, 0, new List<string>());
        foreach (var ((text, values), answer) in cases.Zip(answers))
        {
            var (schema, problems) = JsonSchema.Read(Encoding.UTF8.GetBytes(text), new SchemaOptions(AssertsFormats: false));
            Assert.True(schema is not null, $"{text}: {string.Join("; ", problems)}");
            foreach (var (value, expected) in values.Zip(JsonSerializer.Deserialize<bool?[]>(answer)!))
            {
                _ = expected is null ? failed++ : expected.Value ? valid++ : invalid++;
                if (expected is not null && Fits(schema, value) != expected) different.Add($"{text} {value}: Ajv says {expected}");
            }
        }

        Assert.True(different.Count == 0, string.Join('\n', different.Take(20)));
        Assert.True(valid > 5000 && invalid > 5000, $"{valid} {invalid}");
        Assert.True(failed < Schemas * ValuesEach / 50, $"Ajv failed over {failed} values");
    }

    private static string Value(Random random)
    {
        while (true)
        {
            var text = RandomJson.Text(random, depth: 3);
            var scanner = new JsonScanner();
            if (text.Contains(TooLong, StringComparison.Ordinal)) continue;
            if (scanner.Scan(Encoding.UTF8.GetBytes(text)).IsNone && scanner.Remarks.Count == 0) return text;
        }
    }

    private static bool Fits(JsonSchema schema, string value)
    {
        var scanner = new JsonScanner();
        Assert.True(scanner.Scan(Encoding.UTF8.GetBytes(value)).IsNone);
        var mistakes = new MistakeList();
        new SchemaCheck().Check(schema, scanner.Tape, 0, 0, mistakes);
        Assert.Equal(mistakes.Count == 0, new SchemaCheck().Fits(schema, scanner.Tape, 0));
        return mistakes.Count == 0;
    }

    private static async Task InstallAsync(string directory)
    {
        var package = Path.Combine(directory, "node_modules", "ajv", "package.json");
        if (File.Exists(package) && JsonDocument.Parse(await File.ReadAllBytesAsync(package)).RootElement.GetProperty("version").GetString() == Version) return;
        try
        {
            var (code, said, errors) = await RunAsync(directory, "npm", "install", "--no-audit", "--no-fund", "--prefix", directory, $"ajv@{Version}");
            Assert.SkipWhen(code != 0, $"npm cannot install ajv@{Version}: {said}{errors}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            Assert.Skip($"npm is not installed: {missing.Message}");
        }
    }

    private static async Task<(int Code, string Said, string Errors)> RunAsync(string directory, string program, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, words) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Stoker.slnx"))) at = at.Parent!;
        return at.FullName;
    }
}
