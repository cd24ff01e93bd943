using System.Globalization;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>Users and groups as the machine's name service knows them (files, LDAP, sssd: whatever nsswitch.conf says).</summary>
internal static unsafe partial class Users
{
    private const string Library = "libc";
    private const int Range = 34, LargestBuffer = 1 << 20;

    /// <summary>
    /// Reads Compose's <c>user</c>: <c>name</c>, <c>uid</c>, <c>name:group</c>, <c>uid:gid</c>. Without a group the user's own
    /// groups, all of them; with one that group alone, as container engines do it. A uid that has no entry needs a group.
    /// </summary>
    public static bool TryResolve(string text, out UserIdentity identity, out string problem)
    {
        identity = new UserIdentity(0, 0, []);
        problem = "";
        var colon = text.IndexOf(':');
        var (userText, groupText) = colon < 0 ? (text, null) : (text[..colon], text[(colon + 1)..]);
        var account = Account(userText);
        var numeric = uint.TryParse(userText, NumberStyles.None, CultureInfo.InvariantCulture, out var uid);
        if (userText.Length == 0 || (account is null && !numeric))
        {
            problem = $"there is no user `{userText}` on this host";
            return false;
        }

        if (groupText is null && account is null)
        {
            problem = $"uid {uid} has no entry on this host, so its group has to be given: `{uid}:GROUP`";
            return false;
        }

        uint gid = account?.GroupId ?? 0;
        if (groupText is not null && !TryGroup(groupText, out gid))
        {
            problem = $"there is no group `{groupText}` on this host";
            return false;
        }

        identity = new UserIdentity(account?.UserId ?? uid, gid, groupText is null ? GroupsOf(account!.Name, gid) : [gid])
        {
            Name = account?.Name ?? userText,
            Home = account?.Home,
        };
        return true;
    }

    /// <summary>The login name of a user; its number where there is none.</summary>
    public static string NameOf(uint userId) => Account(userId.ToString())?.Name ?? userId.ToString();

    /// <summary>The entry of a user; null when there is none of this name.</summary>
    public static UserEntry? Find(string name) =>
        Account(name) is { } account && account.Name == name
            ? new UserEntry(name, account.UserId, account.GroupId, account.Home, account.Shell, [.. GroupsOf(name, account.GroupId).Select(GroupNameOf)])
            : null;

    /// <summary>The name of a group; its number where there is none.</summary>
    public static string GroupNameOf(uint groupId)
    {
        for (var size = 4096; size <= LargestBuffer; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* start = buffer)
            {
                GroupEntry entry;
                GroupEntry* found = null;
                if (FindGroupById(groupId, &entry, start, size, &found) != Range) return found is null ? groupId.ToString() : Text(entry.Name)!;
            }
        }

        return groupId.ToString();
    }

    /// <summary>The entry of a group; null when there is none of this name.</summary>
    public static UserGroup? FindGroupEntry(string name)
    {
        for (var size = 4096; size <= LargestBuffer; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* start = buffer)
            {
                GroupEntry entry;
                GroupEntry* found = null;
                if (FindGroup(name, &entry, start, size, &found) == Range) continue;
                if (found is null) return null;
                var members = new List<string>();
                for (var member = entry.Members; *member is not null; member++) members.Add(Text(*member)!);
                return new UserGroup(name, entry.GroupId, members);
            }
        }

        return null;
    }

    private static AccountEntry? Account(string nameOrId)
    {
        var isNumber = uint.TryParse(nameOrId, NumberStyles.None, CultureInfo.InvariantCulture, out var uid);
        for (var size = 4096; size <= LargestBuffer; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* start = buffer)
            {
                PasswordEntry entry;
                PasswordEntry* found = null;

                // A name may consist of digits; the name wins, as in chown(1).
                var error = FindUser(nameOrId, &entry, start, size, &found);
                if (error != Range && found is null && isNumber)
                {
                    error = FindUserById(uid, &entry, start, size, &found);
                }

                if (error != Range)
                {
                    return found is null
                        ? null
                        : new AccountEntry(Text(entry.Name)!, entry.UserId, entry.GroupId, Text(entry.Home), Text(entry.Shell));
                }
            }
        }

        return null;
    }

    private static bool TryGroup(string nameOrId, out uint gid)
    {
        gid = 0;
        for (var size = 4096; size <= LargestBuffer; size *= 4)
        {
            var buffer = new byte[size];
            fixed (byte* start = buffer)
            {
                GroupEntry entry;
                GroupEntry* found = null;
                var error = FindGroup(nameOrId, &entry, start, size, &found);
                if (error != Range)
                {
                    gid = found is null ? 0 : entry.GroupId;
                    return found is not null || uint.TryParse(nameOrId, NumberStyles.None, CultureInfo.InvariantCulture, out gid);
                }
            }
        }

        return false;
    }

    private static uint[] GroupsOf(string name, uint primary)
    {
        var count = 64;
        while (true)
        {
            var groups = new uint[count];
            fixed (uint* start = groups)
            {
                var capacity = count;
                if (GroupList(name, primary, start, &count) >= 0)
                {
                    return groups[..count];
                }

                // On failure glibc stores the number needed; guard against a name service that grows meanwhile.
                count = Math.Max(count, capacity * 2);
            }
        }
    }

    private static string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);

    [LibraryImport(Library, EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FindUser(string name, PasswordEntry* entry, byte* buffer, nint size, PasswordEntry** found);

    [LibraryImport(Library, EntryPoint = "getpwuid_r")]
    private static partial int FindUserById(uint user, PasswordEntry* entry, byte* buffer, nint size, PasswordEntry** found);

    [LibraryImport(Library, EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FindGroup(string name, GroupEntry* entry, byte* buffer, nint size, GroupEntry** found);

    [LibraryImport(Library, EntryPoint = "getgrgid_r")]
    private static partial int FindGroupById(uint group, GroupEntry* entry, byte* buffer, nint size, GroupEntry** found);

    [LibraryImport(Library, EntryPoint = "getgrouplist", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GroupList(string name, uint primary, uint* groups, int* count);

    private sealed record AccountEntry(string Name, uint UserId, uint GroupId, string? Home, string? Shell);

    /// <summary>struct passwd</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PasswordEntry
    {
        public byte* Name;
        public byte* Password;
        public uint UserId;
        public uint GroupId;
        public byte* Comment;
        public byte* Home;
        public byte* Shell;
    }

    /// <summary>struct group</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GroupEntry
    {
        public byte* Name;
        public byte* Password;
        public uint GroupId;
        public byte** Members;
    }
}

/// <summary>A user as the name service knows it.</summary>
/// <param name="Groups">Names of all its groups, its own among them.</param>
internal sealed record UserEntry(string Name, uint UserId, uint GroupId, string? Home, string? Shell, IReadOnlyList<string> Groups);

/// <param name="Members">Users that are named in its entry; those whose own group it is are not.</param>
internal sealed record UserGroup(string Name, uint GroupId, IReadOnlyList<string> Members);
