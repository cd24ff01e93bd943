using System.Text;
using Stoker.Diagnostics;
using Stoker.Estates.Reading;

namespace Stoker.Estates.Yaml;

/// <summary>Reads <c>env_file</c> and <c>label_file</c> by the grammar of <see cref="DotEnv"/>, or raw.</summary>
internal sealed class VariableFiles(IEstateFiles door, IReadOnlyDictionary<string, string> variables) : IVariableFiles
{
    public VariableFileOutcome Read(string path, bool raw, DiagnosticBag bag)
    {
        if (!door.Exists(path)) return new VariableFileOutcome.Missing();
        if (door.Read(path, out var problem) is not { } bytes) return new VariableFileOutcome.Unreadable(problem!);
        var text = Encoding.UTF8.GetString(bytes);
        var values = raw ? ReadRaw(text) : DotEnv.Parse(text, path, name => variables.GetValueOrDefault(name), bag);
        var where = SourcePosition.Whole(path);
        return new VariableFileOutcome.Found([.. values.Select(v => KeyValuePair.Create(v.Key, new Positioned<string?>(v.Value, where)))]);
    }

    /// <summary>Compose's <c>format: raw</c>: everything after the first <c>=</c> is the value.</summary>
    private static IEnumerable<KeyValuePair<string, string>> ReadRaw(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var trimmed = line.TrimEnd('\r');
            var equals = trimmed.IndexOf('=');
            if (equals > 0 && trimmed[0] != '#') yield return KeyValuePair.Create(trimmed[..equals], trimmed[(equals + 1)..]);
        }
    }
}
