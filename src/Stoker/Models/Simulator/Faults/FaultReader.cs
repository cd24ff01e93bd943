using System.Globalization;
using System.Text.Json;

namespace Stoker.Models.Simulator.Faults;

/// <summary>
/// Faults in words: <c>reset-after=3; comments</c> in the header, <c>{"reset-after": 3, "comments": true}</c> in the admin call.
/// </summary>
internal static class FaultReader
{
    /// <param name="rule">Null when a word is not known, which <paramref name="problem"/> tells.</param>
    public static bool TryRead(IReadOnlyList<KeyValuePair<string, string>> words, out FaultRule rule, out string problem)
    {
        rule = new FaultRule(new FaultSpec()) { Words = words };
        problem = "";
        foreach (var (name, value) in words)
        {
            var read = With(rule, name, value);
            if (read is null)
            {
                problem = $"`{name}={value}` is not understood";
                return false;
            }

            rule = read;
        }

        return true;
    }

    public static List<KeyValuePair<string, string>> OfHeader(string header)
    {
        var words = new List<KeyValuePair<string, string>>();
        foreach (var part in header.Split([';', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=');
            words.Add(equals < 0 ? new(part, "true") : new(part[..equals].Trim(), part[(equals + 1)..].Trim()));
        }

        return words;
    }

    /// <summary>The rules of an admin call: an object, a list of objects, or null for none. Throws <see cref="FormatException"/>.</summary>
    public static List<FaultRule> OfBody(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body.IsEmpty ? "null"u8.ToArray() : body);
        var rules = new List<FaultRule>();
        var root = document.RootElement;
        foreach (var one in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().ToList() : [root])
        {
            if (one.ValueKind == JsonValueKind.Null) continue;
            if (one.ValueKind != JsonValueKind.Object) throw new FormatException("a fault is an object");
            var words = one.EnumerateObject().Select(word => KeyValuePair.Create(word.Name, word.Value.ToString() is "True" ? "true" : word.Value.ToString())).ToList();
            if (!TryRead(words, out var rule, out var problem)) throw new FormatException(problem);
            if (words.Count > 0) rules.Add(rule);
        }

        return rules;
    }

    private static FaultRule? With(FaultRule rule, string name, string value)
    {
        switch (name)
        {
            case "rate":
                return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && rate is >= 0 and <= 1 ? rule with { Rate = rate } : null;
            case "times":
                return Number(value) is { } times and > 0 ? rule with { Left = times } : null;
            case "path":
                return rule with { Path = value };
            case "model":
                return rule with { Model = value };
            default:
                var fault = Counted(rule.Fault, name, Number(value)) ?? Switched(rule.Fault, name, value) ?? Worded(rule.Fault, name, value);
                return fault is null ? null : rule with { Fault = fault };
        }
    }

    private static FaultSpec? Counted(FaultSpec fault, string name, int? number) => (name, number) switch
    {
        (_, null) => null,
        ("status", >= 200 and < 600) => fault with { Status = number },
        ("reset-after", _) => fault with { ResetAfter = number },
        ("end-after", _) => fault with { EndAfter = number },
        ("stall-after", _) => fault with { StallAfter = number },
        ("malformed-after", _) => fault with { MalformedAfter = number },
        ("error-after", _) => fault with { ErrorAfter = number },
        ("huge-event", <= 64 << 20) => fault with { HugeEvent = number.Value },
        ("tokens", _) => fault with { Tokens = number.Value },
        _ => null,
    };

    private static FaultSpec? Switched(FaultSpec fault, string name, string value) => (name, value) switch
    {
        (_, not ("true" or "1")) => null,
        ("reset-before-headers", _) => fault with { ResetBeforeHeaders = true },
        ("stall-before-headers", _) => fault with { StallBeforeHeaders = true },
        ("error-first", _) => fault with { ErrorAfter = 0 },
        ("split-characters", _) => fault with { SplitCharacters = true },
        ("comments", _) => fault with { Comments = true },
        ("no-space", _) => fault with { NoSpace = true },
        ("several-data-lines", _) => fault with { SeveralDataLines = true },
        ("huge-event", _) => fault with { HugeEvent = 100 * 1024 },
        ("no-usage", _) => fault with { NoUsage = true },
        ("no-done", _) => fault with { NoDone = true },
        ("hold-open", _) => fault with { HoldOpen = true },
        ("gzip", _) => fault with { Gzip = true },
        ("close-delimited", _) => fault with { CloseDelimited = true },
        ("close-after", _) => fault with { CloseAfter = true },
        ("close-silently", _) => fault with { CloseSilently = true },
        _ => null,
    };

    private static FaultSpec? Worded(FaultSpec fault, string name, string value) => (name, value) switch
    {
        ("retry-after", _) => fault with { RetryAfter = value },
        ("slow-headers", _) => Milliseconds(value) is { } time ? fault with { SlowHeaders = time } : null,
        ("line-ends", "crlf") => fault with { LineEnds = LineEnds.Both },
        ("line-ends", "cr") => fault with { LineEnds = LineEnds.CarriageReturn },
        ("line-ends", "lf") => fault with { LineEnds = LineEnds.LineFeed },
        _ => null,
    };

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary><c>200ms</c> or <c>2s</c>.</summary>
    private static TimeSpan? Milliseconds(string text)
    {
        var inSeconds = text.EndsWith('s') && !text.EndsWith("ms", StringComparison.Ordinal);
        return double.TryParse(text.TrimEnd('s', 'm'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number < 86_400
            ? TimeSpan.FromMilliseconds(inSeconds ? number * 1000 : number)
            : null;
    }
}
