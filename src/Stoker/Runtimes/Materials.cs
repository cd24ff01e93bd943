using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>
/// Secrets and configs as files below the state directory. A process has no <c>/run/secrets</c> of its own: its files are owned by
/// the service's user (0600), and every variable of the service whose value is the declared target
/// (<c>DB_PASSWORD_FILE: /run/secrets/db_password</c>) is given the real path instead. Into a container they are mounted at their
/// target; who reads them there is known to the image alone, so they may be read by all (0444), and their directory by nobody.
/// </summary>
internal static class Materials
{
    public static string TargetOf(MaterialUse use, bool isSecret) =>
        use.Target is { } target ? Path.IsPathRooted(target) || !isSecret ? target : $"/run/secrets/{target}"
        : isSecret ? $"/run/secrets/{use.Source}" : $"/{use.Source}";

    /// <summary>Declared target → path of the file that was written.</summary>
    public static IReadOnlyDictionary<string, string> Write(ServiceMaterials materials, string directory, string key, UserIdentity? user, bool forContainer = false)
    {
        var written = new Dictionary<string, string>();
        if (materials.All.Count == 0) return written;
        var place = Path.Combine(directory, key);
        // A service of another user must reach its own files, and nobody else's: the directories can be passed but not listed.
        var passable = user is null ? Files.PrivateDirectory : Files.PrivateDirectory | UnixFileMode.OtherExecute;
        Files.CreateDirectory(place, passable);
        foreach (var material in materials.All)
        {
            var path = Path.Combine(place, material.Name);
            Files.Replace(path, material.Content, Mode(material, forContainer));
            if (material.Owner is { } owner && HostEnvironment.IsRoot) Files.SetOwner(path, owner.User, owner.Group);
            else if (user is not null) Files.SetOwner(path, user.UserId, user.GroupId);
            written[material.Target] = path;
        }

        return written;
    }

    private static UnixFileMode Mode(Material material, bool forContainer) =>
        material.Mode is { } mode ? (UnixFileMode)mode
        : forContainer ? UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead
        : Files.PrivateFile;
}

/// <param name="Target">Where the service expects it.</param>
internal sealed record Material(string Name, string Target, byte[] Content, bool IsSecret, int? Mode)
{
    /// <summary><c>uid</c> and <c>gid</c>; null: the service's user.</summary>
    public (uint User, uint Group)? Owner { get; init; }
}

/// <summary>The secrets and configs of one service, read when the estate was applied.</summary>
internal sealed record ServiceMaterials(IReadOnlyList<Material> All)
{
    /// <summary>Shorter values would blank out half of an innocent log.</summary>
    private const int ShortestSecret = 4;

    public static ServiceMaterials None { get; } = new([]);

    /// <summary>What must never be seen in a log: the values of the secrets, without a final newline.</summary>
    public IReadOnlyList<byte[]> SecretValues => [.. All.Where(m => m.IsSecret).Select(m => Trimmed(m.Content)).Where(v => v.Length >= ShortestSecret)];

    private static byte[] Trimmed(byte[] value)
    {
        var end = value.Length;
        while (end > 0 && value[end - 1] is (byte)'\n' or (byte)'\r') end--;
        return value[..end];
    }
}
