namespace Stoker.Estates.Yaml;

/// <summary>The door through which estate files, overlays, includes and <c>.env</c> files are read.</summary>
internal interface IEstateFiles
{
    /// <summary>The largest file that is read; see <see cref="Read"/>.</summary>
    const int LargestFile = 16 << 20;

    /// <summary>
    /// The content, or null and what is wrong with it in words (<c>no such file</c>, <c>permission denied</c>). At most
    /// <see cref="LargestFile"/> + 1 bytes are read, so that a file too large is noticed without being held.
    /// </summary>
    byte[]? Read(string path, out string? problem);

    bool Exists(string path);
}
