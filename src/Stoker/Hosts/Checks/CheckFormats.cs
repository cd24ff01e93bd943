using System.Text;
using System.Text.Json;
using System.Xml;

namespace Stoker.Hosts.Checks;

/// <summary>Reports as other programs read them.</summary>
internal static class CheckFormats
{
    /// <summary>
    /// The Test Anything Protocol, version 14: unknown is <c>not ok</c>, because readers of it count <c># SKIP</c> as passed. Details are YAML below a line.
    /// </summary>
    public static string ToTap(IReadOnlyList<CheckReport> reports)
    {
        List<(CheckReport Of, CheckResult Check)> all = [.. reports.SelectMany(report => report.Checks.Select(check => (report, check)))];
        var text = new StringBuilder("TAP version 14\n").Append($"1..{all.Count}\n");
        for (var i = 0; i < all.Count; i++)
        {
            var (report, check) = all[i];
            var name = reports.Count > 1 ? $"{report.Subject}: {check.Name}" : check.Name;
            // A number sign begins a directive.
            text.Append($"{(check.Verdict == Verdict.Passed ? "ok" : "not ok")} {i + 1} - {OneLine(name).Replace("#", "\\#", StringComparison.Ordinal)}\n");
            if (check.Verdict == Verdict.Passed) continue;
            text.Append($"  ---\n  verdict: {check.Verdict.ToString().ToLowerInvariant()}\n  findings:\n");
            foreach (var finding in check.Findings.Where(f => f.Verdict != Verdict.Passed))
            {
                var found = finding.Found is { } told ? Quoted(told) : "null";
                text.Append($"    - {{what: {Quoted(finding.What)}, expected: {Quoted(finding.Expected)}, found: {found}, evidence: {Quoted(finding.Evidence)}}}\n");
            }

            if (check.Mend is { } mend) text.Append($"  mend: {Quoted(mend)}\n");
            text.Append("  ...\n");
        }

        return text.ToString();
    }

    /// <summary>JUnit as CI systems read it: failed is a failure, unknown an error.</summary>
    public static string ToJUnit(IReadOnlyList<CheckReport> reports)
    {
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, CheckCharacters = false }))
        {
            xml.WriteStartElement("testsuites");
            foreach (var report in reports) Write(xml, report);
            xml.WriteEndElement();
        }

        return text.Append('\n').ToString();
    }

    private static void Write(XmlWriter xml, CheckReport report)
    {
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", Clean(report.Subject));
        xml.WriteAttributeString("tests", $"{report.Checks.Count}");
        xml.WriteAttributeString("failures", $"{report.Failed}");
        xml.WriteAttributeString("errors", $"{report.Unknown}");
        xml.WriteAttributeString("time", $"{report.TookMs / 1000:0.000}");
        foreach (var check in report.Checks) Write(xml, report, check);
        xml.WriteEndElement();
    }

    private static void Write(XmlWriter xml, CheckReport report, CheckResult check)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", Clean($"{report.Subject}.{check.Kind}"));
        xml.WriteAttributeString("name", Clean(check.Name));
        xml.WriteAttributeString("time", $"{check.TookMs / 1000:0.000}");
        if (check.Verdict != Verdict.Passed)
        {
            var wrong = check.Findings.Where(f => f.Verdict != Verdict.Passed).ToList();
            xml.WriteStartElement(check.Verdict == Verdict.Failed ? "failure" : "error");
            xml.WriteAttributeString("message", Clean(wrong.Count > 0 ? CheckReport.Sentence(wrong[0]) : "nothing was looked at"));
            xml.WriteString(Clean(string.Join('\n', wrong.Select(CheckReport.Sentence).Concat(check.Mend is { } mend ? [$"mend: {mend}"] : []))));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    /// <summary>What XML cannot carry at all.</summary>
    private static string Clean(string text) => string.Concat(text.Where(c => XmlConvert.IsXmlChar(c)));

    private static string OneLine(string text) => text.Replace('\n', ' ');

    /// <summary>A JSON string is one of YAML, too.</summary>
    private static string Quoted(string text) => JsonSerializer.Serialize(text, ChecksJson.Readable.String);
}
