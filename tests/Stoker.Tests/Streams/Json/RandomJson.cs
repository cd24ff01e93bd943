namespace Stoker.Tests.Streams.Json;

/// <summary>JSON of every kind, the same for the same seed.</summary>
internal static class RandomJson
{
    private static readonly string[] Scalars =
    [
        "null", "true", "false", "0", "-0", "1", "12", "-1.5", "1e3", "1E+3", "2.50", "0.1", "100", "1.0", "123456789012345678901234567890",
        "\"\"", "\"a\"", "\"ab\"", "\"é😀\"", "\"\\u0061\"", "\"\\ud83d\\ude00\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"2026-03-01T12:00:00Z\"",
    ];

    private static readonly string[] Names = ["a", "b", "c", "ab", "\\u0061", "é", "x y", ""];

    public static string Text(Random random, int depth)
    {
        var space = random.Next(4) == 0 ? " " : "";
        switch (depth == 0 ? 0 : random.Next(4))
        {
            case 1:
                return $"[{space}{string.Join($",{space}", Enumerable.Range(0, random.Next(4)).Select(_ => Text(random, depth - 1)))}{space}]";
            case 2:
                return $"{{{space}{string.Join($"{space},", Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{Names[random.Next(Names.Length)]}\"{space}:{Text(random, depth - 1)}"))}}}";
            default:
                return Scalars[random.Next(Scalars.Length)];
        }
    }
}
