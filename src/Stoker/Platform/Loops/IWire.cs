namespace Stoker.Platform.Loops;

/// <summary>
/// A connection as bytes: plain, or within TLS. Answers are counts or negated error numbers (see <see cref="LoopSocket"/>, which is the
/// plain one); used on one loop's thread.
/// </summary>
internal interface IWire : IDisposable
{
    /// <summary>The peer sent its last byte, or the connection broke.</summary>
    bool PeerLeft { get; }

    /// <summary>A receive may find something, as far as is known: on a connection that should be idle a reason to mistrust it.</summary>
    bool MayReceive { get; }

    /// <summary>Called once when the peer leaves, whatever the owner is waiting for.</summary>
    Action? OnPeerLeft { get; set; }

    int Receive(Span<byte> target);

    ValueTask<int> ReadableAsync(long deadline = 0);

    /// <param name="behind">Goes behind the first piece, in one with it where that can be.</param>
    /// <param name="more">More follows at once.</param>
    ValueTask<int> SendAllAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> behind = default, long deadline = 0, bool more = false);

    /// <summary>Whoever waits is told <c>-ECANCELED</c>.</summary>
    void Cancel();

    /// <summary>No more will be sent.</summary>
    void ShutSend();

    /// <summary>Closes at once; what was not sent yet is thrown away.</summary>
    void Reset();
}
