using System.Net;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>An address of a network link.</summary>
/// <param name="Prefix">Bits of the network.</param>
internal sealed unsafe partial record LinkAddress(string Link, string Address, int Prefix)
{
    private const string Library = "libc";
    private const int Inet = 2, Inet6 = 10;

    /// <summary>All of this machine, as getifaddrs(3) tells them.</summary>
    public static IReadOnlyList<LinkAddress> All()
    {
        Entry* first;
        if (Ask(&first) != 0) throw Errno.LastFailed("cannot ask for the addresses of network links");
        var found = new List<LinkAddress>();
        for (var entry = first; entry is not null; entry = entry->Next)
        {
            if (Bytes(entry->Address) is not { } address || Bytes(entry->Mask) is not { } mask) continue;
            var bits = 0;
            foreach (var part in mask) bits += BitOperations.PopCount(part);
            found.Add(new LinkAddress(Marshal.PtrToStringUTF8((nint)entry->Name) ?? "", new IPAddress(address).ToString(), bits));
        }

        Free(first);
        return found;
    }

    /// <summary>The address within a struct sockaddr_in or sockaddr_in6; null for other families.</summary>
    private static byte[]? Bytes(byte* socket)
    {
        if (socket is null) return null;
        return *(ushort*)socket switch
        {
            Inet => new ReadOnlySpan<byte>(socket + 4, 4).ToArray(),
            Inet6 => new ReadOnlySpan<byte>(socket + 8, 16).ToArray(),
            _ => null,
        };
    }

    [LibraryImport(Library, EntryPoint = "getifaddrs", SetLastError = true)]
    private static partial int Ask(Entry** first);

    [LibraryImport(Library, EntryPoint = "freeifaddrs")]
    private static partial void Free(Entry* first);

    /// <summary>struct ifaddrs</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public Entry* Next;
        public byte* Name;
        public uint Flags;
        public byte* Address;
        public byte* Mask;
        public byte* Other;
        public void* Data;
    }
}
