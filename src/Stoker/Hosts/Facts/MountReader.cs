using System.Globalization;
using System.Text;
using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>
/// File systems that hold something, from <c>/proc/self/mountinfo</c>:
/// <c>36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue</c>.
/// </summary>
internal static class MountReader
{
    /// <summary>What the kernel shows of itself as files.</summary>
    private static readonly HashSet<string> OfTheKernel = new(StringComparer.Ordinal)
    {
        "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs", "pstore", "bpf", "configfs", "fusectl", "mqueue", "hugetlbfs", "autofs",
        "binfmt_misc", "efivarfs", "rpc_pipefs", "nsfs", "ramfs", "selinuxfs", "nfsd", "fuse.gvfsd-fuse", "fuse.portal", "fuse.lxcfs", "fuse.snapfuse",
    };

    public static IReadOnlyList<MountFacts> Read(FactSource source) =>
        [.. Parse(source.Text("/proc/self/mountinfo", "mounts") ?? "").Where(m => !OfTheKernel.Contains(m.Type) && !IsSnap(m) && !m.Path.StartsWith("/sys/", StringComparison.Ordinal))];

    /// <summary>Also the kernel's own.</summary>
    public static IReadOnlyList<MountFacts> ReadAll(ISystemTree tree) => tree.Read("/proc/self/mountinfo") is TreeFile.Found found ? Parse(found.Text) : [];

    /// <summary>What is mounted over another hides it.</summary>
    private static List<MountFacts> Parse(string table)
    {
        var mounts = new Dictionary<string, MountFacts>(StringComparer.Ordinal);
        foreach (var line in table.Split('\n'))
        {
            if (ParseLine(line) is not { } mount) continue;
            mounts.Remove(mount.Path);
            mounts[mount.Path] = mount;
        }

        return [.. mounts.Values];
    }

    /// <summary>A server of it may be gone, and then it never answers.</summary>
    public static bool IsRemote(MountFacts mount) =>
        mount.Type.StartsWith("nfs", StringComparison.Ordinal) || mount.Type.StartsWith("fuse", StringComparison.Ordinal)
        || mount.Type is "cifs" or "smb3" or "ceph" or "9p" or "glusterfs" or "lustre" or "afs" or "virtiofs";

    private static MountFacts? ParseLine(string line)
    {
        var fields = line.Split(' ');
        var dash = Array.IndexOf(fields, "-");
        if (dash < 6 || fields.Length < dash + 3) return null;
        var options = fields[5].Split(',').Concat(fields.Length > dash + 3 ? fields[dash + 3].Split(',') : []).Distinct().ToList();
        // A mount may be read-only where its file system is not, and then it is.
        if (options.Contains("ro")) options.Remove("rw");
        return new MountFacts(Plain(fields[4]), Plain(fields[dash + 2]), fields[dash + 1], options, null, null);
    }

    private static bool IsSnap(MountFacts mount) => mount.Type == "squashfs" && mount.Path.StartsWith("/snap/", StringComparison.Ordinal);

    /// <summary>Blanks and backslashes are written as <c>\040</c>.</summary>
    private static string Plain(string text)
    {
        if (!text.Contains('\\')) return text;
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && IsOctal(text.AsSpan(i + 1, 3)))
            {
                bytes.Add((byte)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, i, 1));
            }
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static bool IsOctal(ReadOnlySpan<char> digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out _) && !digits.ContainsAny('8', '9');
}
