using System.Buffers;

namespace Stoker.Http;

/// <summary>
/// The buffers of one loop's thread. The runtime's own pool keeps few of a size for each processor, and hundreds of connections that are busy at once
/// have more out than that: each further one would be allocated anew for each request.
/// </summary>
internal static class LoopBuffers
{
    /// <summary>The size that nearly all are of.</summary>
    public const int Usual = 8 * 1024;

    /// <summary>Kept for later at most: 4 MiB.</summary>
    private const int Most = 512;

    [ThreadStatic]
    private static Stack<byte[]>? _spare;

    /// <summary>At least so long.</summary>
    public static byte[] Rent(int length) =>
        length > Usual ? ArrayPool<byte>.Shared.Rent(length) : _spare is { Count: > 0 } known ? known.Pop() : GC.AllocateUninitializedArray<byte>(Usual);

    /// <summary>To be called on the thread that rented it, once.</summary>
    public static void Return(byte[] buffer)
    {
        if (buffer.Length == 0) return;
        if (buffer.Length != Usual) ArrayPool<byte>.Shared.Return(buffer);
        else if ((_spare ??= new Stack<byte[]>()).Count < Most) _spare.Push(buffer);
    }
}
