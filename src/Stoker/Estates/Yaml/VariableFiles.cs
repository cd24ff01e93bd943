using System.Text;
using Stoker.Diagnostics;
using Stoker.Estates.Reading;

namespace Stoker.Estates.Yaml;

/// <summary>Files of variables in Compose's grammar, or raw: <c>KEY=VALUE</c> lines taken as they stand.</summary>
/// <param name="variables">The caller's environment and <c>.env</c>: for <c>${…}</c> in the files, and for names without a value.</param>
internal sealed class VariableFiles(IEstateFiles files, IReadOnlyDictionary<string, string> variables) : IVariableFiles
{
    public VariableFileOutcome Read(string path, string shown, bool raw, DiagnosticBag bag)
    {
        if (!files.Exists(path)) return new VariableFileOutcome.Missing();
        var bytes = files.Read(path, out var problem);
        if (bytes is null) return new VariableFileOutcome.Unreadable(problem ?? "the reason is unknown");
        if (bytes.Length > IEstateFiles.LargestFile) return new VariableFileOutcome.Unreadable($"it is larger than {new ByteSize(IEstateFiles.LargestFile)}");
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) return new VariableFileOutcome.Unreadable("it is not valid UTF-8");
        var text = Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF');
        if (raw) return new VariableFileOutcome.Found([.. Raw(text, shown)]);
        var whole = SourcePosition.Whole(shown);
        return new VariableFileOutcome.Found([.. DotEnv.Parse(text, shown, variables.GetValueOrDefault, bag)
            .Select(v => KeyValuePair.Create(v.Key, new Positioned<string?>(v.Value, whole)))]);
    }

    private static IEnumerable<KeyValuePair<string, Positioned<string?>>> Raw(string text, string shown)
    {
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var written = line.TrimEnd('\r').TrimStart();
            if (written.Length == 0 || written[0] == '#') continue;
            var equals = written.IndexOf('=');
            var where = new SourcePosition(shown, number, line.Length - line.TrimStart().Length + 1);
            yield return equals < 0
                ? KeyValuePair.Create(written.TrimEnd(), new Positioned<string?>(null, where))
                : KeyValuePair.Create(written[..equals].TrimEnd(), new Positioned<string?>(written[(equals + 1)..], where));
        }
    }
}
