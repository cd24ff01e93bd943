using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Xml;

namespace Stoker.Hosts.Checks;

/// <summary>What <c>stoker host check --json</c> and <c>stoker doctor --json</c> print.</summary>
/// <param name="Subject">The host or the profile.</param>
internal sealed record CheckReport(string Subject, int Passed, int Failed, int Unknown, double TookMs, IReadOnlyList<CheckResult> Checks)
{
    public static CheckReport Of(string subject, IReadOnlyList<CheckResult> results, TimeSpan took) => new(
        subject,
        results.Count(r => r.Verdict == Verdict.Passed),
        results.Count(r => r.Verdict == Verdict.Failed),
        results.Count(r => r.Verdict == Verdict.Unknown),
        Math.Round(took.TotalMilliseconds, 1),
        results);

    /// <summary>Only what passed is as it should be.</summary>
    [JsonIgnore]
    public bool IsWell => Passed == Checks.Count;

    /// <summary>
    /// The Test Anything Protocol, version 14: unknown is <c>not ok</c>, because readers of it count <c># SKIP</c> as passed. Details are YAML below a line.
    /// </summary>
    public string ToTap()
    {
        var text = new StringBuilder("TAP version 14\n").Append($"1..{Checks.Count}\n");
        for (var i = 0; i < Checks.Count; i++)
        {
            var check = Checks[i];
            // A number sign begins a directive.
            text.Append($"{(check.Verdict == Verdict.Passed ? "ok" : "not ok")} {i + 1} - {OneLine(check.Name).Replace("#", "\\#", StringComparison.Ordinal)}\n");
            if (check.Verdict == Verdict.Passed) continue;
            text.Append($"  ---\n  verdict: {check.Verdict.ToString().ToLowerInvariant()}\n  findings:\n");
            foreach (var finding in check.Findings.Where(f => f.Verdict != Verdict.Passed))
                text.Append($"    - {{what: {Quoted(finding.What)}, expected: {Quoted(finding.Expected)}, found: {(finding.Found is { } found ? Quoted(found) : "null")}, evidence: {Quoted(finding.Evidence)}}}\n");
            if (check.Mend is { } mend) text.Append($"  mend: {Quoted(mend)}\n");
            text.Append("  ...\n");
        }

        return text.ToString();
    }

    /// <summary>JUnit as CI systems read it: failed is a failure, unknown an error.</summary>
    public string ToJUnit()
    {
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, CheckCharacters = false }))
        {
            xml.WriteStartElement("testsuites");
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", Clean(Subject));
            xml.WriteAttributeString("tests", $"{Checks.Count}");
            xml.WriteAttributeString("failures", $"{Failed}");
            xml.WriteAttributeString("errors", $"{Unknown}");
            xml.WriteAttributeString("time", $"{TookMs / 1000:0.000}");
            foreach (var check in Checks) Write(xml, check);
            xml.WriteEndElement();
            xml.WriteEndElement();
        }

        return text.Append('\n').ToString();
    }

    private void Write(XmlWriter xml, CheckResult check)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", Clean($"{Subject}.{check.Kind}"));
        xml.WriteAttributeString("name", Clean(check.Name));
        xml.WriteAttributeString("time", $"{check.TookMs / 1000:0.000}");
        if (check.Verdict != Verdict.Passed)
        {
            var wrong = check.Findings.Where(f => f.Verdict != Verdict.Passed).ToList();
            xml.WriteStartElement(check.Verdict == Verdict.Failed ? "failure" : "error");
            xml.WriteAttributeString("message", Clean(wrong.Count > 0 ? Sentence(wrong[0]) : "nothing was looked at"));
            xml.WriteString(Clean(string.Join('\n', wrong.Select(Sentence).Concat(check.Mend is { } mend ? [$"mend: {mend}"] : []))));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    /// <summary>One finding in words: <c>mode: expected 0600, found 0644 (stat /etc/key)</c>.</summary>
    public static string Sentence(Finding finding) =>
        finding.Found is { } found ? $"{finding.What}: expected {finding.Expected}, found {found} ({finding.Evidence})" : $"{finding.What}: expected {finding.Expected}, not known: {finding.Evidence}";

    /// <summary>What XML cannot carry at all.</summary>
    private static string Clean(string text) => string.Concat(text.Where(c => XmlConvert.IsXmlChar(c)));

    private static string OneLine(string text) => text.Replace('\n', ' ');

    /// <summary>A JSON string is one of YAML, too.</summary>
    private static string Quoted(string text) => JsonSerializer.Serialize(text, ChecksJson.Readable.String);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(string))]
internal sealed partial class ChecksJson : JsonSerializerContext
{
    public static ChecksJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
