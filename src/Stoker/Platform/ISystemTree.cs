using System.Text;

namespace Stoker.Platform;

/// <summary>
/// The files in which a kernel and its system tell about a machine: /proc, /sys, /etc and some more. A seam: this machine, or one that was
/// written down.
/// </summary>
internal interface ISystemTree
{
    TreeFile Read(string path);

    /// <summary>Names in a directory, in ordinal order; none where it is not there or may not be read.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Where a path leads to once every link in it is followed; null where there is nothing.</summary>
    string? Follow(string path);
}

/// <summary>What became of reading one file.</summary>
internal abstract record TreeFile
{
    private TreeFile()
    {
    }

    internal sealed record Found(byte[] Bytes) : TreeFile
    {
        public string Text => Encoding.UTF8.GetString(Bytes);
    }

    internal sealed record Absent : TreeFile;

    /// <param name="Why">In words, after the path: <c>may not be read without root</c>.</param>
    internal sealed record Refused(string Why) : TreeFile;
}
