using System.Globalization;
using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>A machine's files, with a list of what could not be read of them and why. Readers take from it and make records; they have no other door.</summary>
internal sealed class FactSource(ISystemTree tree)
{
    private readonly List<UnknownFact> _unknown = [];
    private readonly Lock _noting = new();

    public IReadOnlyList<UnknownFact> Unknown
    {
        get
        {
            lock (_noting) return [.. _unknown];
        }
    }

    public void Note(string fact, string why)
    {
        lock (_noting)
        {
            var said = new UnknownFact(fact, why);
            if (!_unknown.Contains(said)) _unknown.Add(said);
        }
    }

    public TreeFile Read(string path) => tree.Read(path);

    public IReadOnlyList<string> List(string directory) => tree.List(directory);

    public string? Follow(string path) => tree.Follow(path);

    public bool Has(string path) => tree.Follow(path) is not null;

    /// <summary>The text of a file without its surrounding blanks; null where there is none, which is nobody's loss.</summary>
    public string? Text(string path) => tree.Read(path) is TreeFile.Found found && found.Text.Trim(' ', '\n', '\t', '\0') is { Length: > 0 } text ? text : null;

    /// <summary>The text of a file; where there is none, that the fact is unknown.</summary>
    public string? Text(string path, string fact)
    {
        switch (tree.Read(path))
        {
            case TreeFile.Found found when found.Text.Trim(' ', '\n', '\t', '\0') is { Length: > 0 } text:
                return text;
            case TreeFile.Found:
                Note(fact, $"`{path}` is empty");
                return null;
            case TreeFile.Refused refused:
                Note(fact, $"`{path}` {refused.Why}");
                return null;
            default:
                Note(fact, $"this system has no `{path}`");
                return null;
        }
    }

    public long? Number(string path) => Text(path) is { } text && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>What the last link of a path is called: of <c>device/driver</c> the driver's name.</summary>
    public string? NameOf(string path) => tree.Follow(path) is { } target ? Path.GetFileName(target) : null;
}
