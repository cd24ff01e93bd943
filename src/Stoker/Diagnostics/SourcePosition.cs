namespace Stoker.Diagnostics;

/// <summary>A place in a file the owner wrote. Lines and columns count from 1; line 0 means the file as a whole.</summary>
/// <param name="File">The path as the owner would type it, relative to the estate's directory where possible.</param>
internal readonly record struct SourcePosition(string File, int Line, int Column)
{
    public static SourcePosition Whole(string file) => new(file, 0, 0);

    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";
}
