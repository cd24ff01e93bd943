using System.Globalization;
using System.Net;

namespace Stoker.Platform;

/// <summary>A socket that something listens on.</summary>
/// <param name="Inode">The kernel's number of the socket, by which its holder is found.</param>
internal sealed record ListeningSocket(IPAddress Address, int Port, string Protocol, ulong Inode);

/// <summary>Who listens where, as /proc/net tells it.</summary>
internal static class SocketTable
{
    private const string TcpListening = "0A", UdpUnconnected = "07";

    public static IReadOnlyList<ListeningSocket> Listening() =>
    [
        .. Read("/proc/net/tcp", "tcp", TcpListening), .. Read("/proc/net/tcp6", "tcp", TcpListening),
        .. Read("/proc/net/udp", "udp", UdpUnconnected), .. Read("/proc/net/udp6", "udp", UdpUnconnected),
    ];

    /// <summary>The processes that hold these sockets, by inode; those of other users may not be seen without root.</summary>
    public static IReadOnlyDictionary<ulong, ProcessEntry> Holders(IReadOnlySet<ulong> inodes)
    {
        var holders = new Dictionary<ulong, ProcessEntry>();
        if (inodes.Count == 0) return holders;
        foreach (var entry in ProcessTable.Take().Entries)
        {
            foreach (var inode in SocketsOf(entry.Pid))
            {
                if (inodes.Contains(inode)) holders.TryAdd(inode, entry);
            }

            if (holders.Count == inodes.Count) break;
        }

        return holders;
    }

    /// <summary>Lines like <c>  1: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 …</c>.</summary>
    internal static IEnumerable<ListeningSocket> Parse(string table, string protocol, string state)
    {
        foreach (var line in table.Split('\n').Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 10 || fields[3] != state) continue;
            var colon = fields[1].IndexOf(':');
            if (colon < 0 || !int.TryParse(fields[1].AsSpan(colon + 1), NumberStyles.HexNumber, null, out var port)) continue;
            yield return new ListeningSocket(AddressOf(fields[1].AsSpan(0, colon)), port, protocol, ulong.TryParse(fields[9], out var inode) ? inode : 0);
        }
    }

    private static IEnumerable<ListeningSocket> Read(string path, string protocol, string state) =>
        ProcFile.ReadText(path) is { } table ? Parse(table, protocol, state) : [];

    /// <summary>Four-byte words in the machine's byte order, each in hexadecimal.</summary>
    private static IPAddress AddressOf(ReadOnlySpan<char> hex)
    {
        var bytes = new byte[hex.Length / 2];
        for (var word = 0; word < bytes.Length; word += 4)
            BitConverter.TryWriteBytes(bytes.AsSpan(word), uint.Parse(hex.Slice(word * 2, 8), NumberStyles.HexNumber));
        return new IPAddress(bytes);
    }

    private static IEnumerable<ulong> SocketsOf(int pid)
    {
        IEnumerable<string> descriptors;
        try
        {
            descriptors = Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").ToList();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        foreach (var descriptor in descriptors)
        {
            string? target;
            try
            {
                target = File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                // Closed meanwhile, or not ours to see.
                continue;
            }

            if (target is not null && target.StartsWith("socket:[", StringComparison.Ordinal) && ulong.TryParse(target.AsSpan(8, target.Length - 9), out var inode))
                yield return inode;
        }
    }
}
