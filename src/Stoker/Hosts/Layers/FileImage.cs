using System.Security.Cryptography;
using Stoker.Platform;

namespace Stoker.Hosts.Layers;

/// <summary>What is at a path, all that has to be known to have it so again; contents are kept apart, by their hash.</summary>
/// <param name="Kind"><c>absent file directory link other</c>.</param>
/// <param name="Content">SHA-256 of a file's content, or where a link leads.</param>
internal sealed record FileImage(string Kind, string? Content, int Mode, uint User, uint Group)
{
    public static FileImage Absent { get; } = new("absent", null, 0, 0, 0);

    public bool IsAbsent => Kind == "absent";

    /// <exception cref="IOException">It cannot be told.</exception>
    public static FileImage Look(string path)
    {
        var entry = FileEntry.Look(path, follow: false, out var why);
        if (entry is null) return why is null ? Absent : throw new IOException($"`{path}`: {why}");
        return entry.Kind switch
        {
            FileKind.File => new FileImage("file", Hash(Files.ReadAllBytes(path)), entry.Mode, entry.User, entry.Group),
            FileKind.Directory => new FileImage("directory", null, entry.Mode, entry.User, entry.Group),
            // A link has no mode of its own.
            FileKind.Link => new FileImage("link", Files.LinkTarget(path), 0, entry.User, entry.Group),
            _ => new FileImage("other", null, entry.Mode, entry.User, entry.Group),
        };
    }

    public static string Hash(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>Makes it so at a path, whatever is there but a full directory.</summary>
    /// <param name="contentOf">The bytes of a hash.</param>
    public void Restore(string path, Func<string, byte[]> contentOf)
    {
        var now = Look(path);
        if (now == this) return;
        if (now.Kind == "directory" && Kind != "directory") Files.DeleteDirectory(path);
        switch (Kind)
        {
            case "absent":
                Files.Delete(path);
                break;
            case "directory":
                if (now.Kind is not ("directory" or "absent")) Files.Delete(path);
                Files.CreateDirectory(path);
                Own(path);
                break;
            case "link":
                Files.MakeLink(path, Content!);
                break;
            case "file":
                Files.AtomicWrite(path, contentOf(Content!), (UnixFileMode)(Mode & 0x1FF));
                Own(path);
                break;
            default:
                throw new IOException($"`{path}` was neither file, directory nor link, and cannot be made again");
        }
    }

    /// <summary>In words, for a difference: <c>file 0644 root:root</c>.</summary>
    public override string ToString() => Kind switch
    {
        "absent" => "absent",
        "link" => $"link to {Content}",
        _ => $"{Kind} 0{Convert.ToString(Mode, 8).PadLeft(3, '0')} {Users.NameOf(User)}:{Users.GroupNameOf(Group)}",
    };

    /// <summary>The owner first: a change of it takes the set-user bit away.</summary>
    private void Own(string path)
    {
        Files.SetOwner(path, User, Group);
        Files.SetMode(path, (UnixFileMode)Mode);
    }
}
