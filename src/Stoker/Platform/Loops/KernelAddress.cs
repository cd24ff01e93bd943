using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Stoker.Platform.Loops;

/// <summary>Between <see cref="IPEndPoint"/> and the kernel's <c>sockaddr_in</c> and <c>sockaddr_in6</c>; paths as <c>sockaddr_un</c>.</summary>
internal static class KernelAddress
{
    /// <summary>Room for any address written here.</summary>
    public const int Capacity = 110;

    public static int FamilyOf(IPEndPoint endpoint) => endpoint.AddressFamily == AddressFamily.InterNetworkV6 ? SocketCalls.FamilyInet6 : SocketCalls.FamilyInet;

    /// <returns>How many bytes were written.</returns>
    public static int Write(IPEndPoint endpoint, Span<byte> target)
    {
        target.Clear();
        BitConverter.TryWriteBytes(target, (ushort)FamilyOf(endpoint));
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)endpoint.Port);
        if (endpoint.AddressFamily != AddressFamily.InterNetworkV6)
        {
            endpoint.Address.TryWriteBytes(target[4..], out _);
            return 16;
        }

        endpoint.Address.TryWriteBytes(target[8..], out _);
        BitConverter.TryWriteBytes(target[24..], (uint)endpoint.Address.ScopeId);
        return 28;
    }

    /// <summary>A path of up to 107 bytes and its final NUL.</summary>
    /// <exception cref="IOException">It is longer.</exception>
    public static int Write(string path, Span<byte> target)
    {
        target.Clear();
        if (Encoding.UTF8.GetByteCount(path) > Capacity - 3) throw new IOException($"a socket's path has up to {Capacity - 3} bytes, which `{path}` has not");
        BitConverter.TryWriteBytes(target, (ushort)SocketCalls.FamilyUnix);
        return 2 + Encoding.UTF8.GetBytes(path, target[2..]) + 1;
    }

    public static IPEndPoint Read(ReadOnlySpan<byte> source)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(source[2..]);
        return BitConverter.ToUInt16(source) == SocketCalls.FamilyInet6
            ? new IPEndPoint(new IPAddress(source.Slice(8, 16), BitConverter.ToUInt32(source[24..])), port)
            : new IPEndPoint(new IPAddress(source.Slice(4, 4)), port);
    }
}
