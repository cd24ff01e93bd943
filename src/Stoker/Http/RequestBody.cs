using System.Runtime.CompilerServices;
using Stoker.Platform;
using Stoker.Platform.Loops;

namespace Stoker.Http;

/// <summary>Why a body could not be had.</summary>
internal enum BodyFault
{
    None,
    TooLarge,
    Malformed,
    TooSlow,
    ClientLeft,
}

/// <summary>
/// The body of one request, whole, because its model's name may stand at its end. Where it came in the same read as the head it stays
/// where it is; otherwise it is received into a rented array of its size.
/// </summary>
internal sealed class RequestBody(IWire wire, HttpInput input)
{
    private byte[] _rented = [];

    public ReadOnlyMemory<byte> Bytes { get; private set; }

    /// <summary>Bytes of the input that belong to the request: its head, and what of the body came with it.</summary>
    public int InInput { get; private set; }

    /// <param name="head">Parsed where the input begins; still valid afterwards unless the body came in chunks, when it is parsed anew from a copy.</param>
    /// <param name="limit">Most bytes that a body may have.</param>
    public ValueTask<BodyFault> ReadAsync(MessageHead head, long limit, long deadline)
    {
        Bytes = default;
        InInput = head.Length;
        if (head.Body == BodyKind.None) return new ValueTask<BodyFault>(BodyFault.None);
        if (head.Body == BodyKind.Chunked) return ReadChunksAsync(head, limit, deadline);
        if (head.ContentLength > limit) return new ValueTask<BodyFault>(BodyFault.TooLarge);
        var length = (int)head.ContentLength;
        var here = Math.Min(length, input.Length - head.Length);
        InInput += here;
        if (here < length) return ReadRestAsync(head, length, here, deadline);
        Bytes = input.UnreadMemory.Slice(head.Length, length);
        return new ValueTask<BodyFault>(BodyFault.None);
    }

    /// <summary>The request is not needed any more.</summary>
    public void Release()
    {
        Bytes = default;
        LoopBuffers.Return(_rented);
        _rented = [];
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<BodyFault> ReadRestAsync(MessageHead head, int length, int here, long deadline)
    {
        if (head.ExpectsContinue && here == 0 && await wire.SendAllAsync(Continue, deadline: deadline) < 0) return BodyFault.ClientLeft;
        _rented = LoopBuffers.Rent(length);
        input.Unread.Slice(head.Length, here).CopyTo(_rented);
        while (here < length)
        {
            var ready = await wire.ReadableAsync(deadline);
            var count = ready < 0 ? ready : wire.Receive(_rented.AsSpan(here, length - here));
            if (count == -Errno.Again) continue;
            if (count <= 0) return count == -SocketCalls.TimedOut ? BodyFault.TooSlow : BodyFault.ClientLeft;
            here += count;
        }

        Bytes = _rented.AsMemory(0, length);
        return BodyFault.None;
    }

    /// <summary>The head is moved out of the way first: what is received next takes its place in the input.</summary>
    private async ValueTask<BodyFault> ReadChunksAsync(MessageHead head, long limit, long deadline)
    {
        var framing = BodyFraming.Of(head);
        if (head.ExpectsContinue && input.Length == head.Length && await wire.SendAllAsync(Continue, deadline: deadline) < 0) return BodyFault.ClientLeft;
        var headLength = head.Length;
        _rented = LoopBuffers.Rent(headLength + 4096);
        input.Unread[..headLength].CopyTo(_rented);
        input.Consume(headLength);
        InInput = 0;
        var (fault, end) = await ReadFramedAsync(framing, headLength, limit, deadline);
        head.ReadRequest(_rented.AsMemory(0, headLength));
        if (fault == BodyFault.None) Bytes = _rented.AsMemory(headLength, end - headLength);
        return fault;
    }

    private async ValueTask<(BodyFault Fault, int End)> ReadFramedAsync(BodyFraming framing, int headLength, long limit, long deadline)
    {
        var end = headLength;
        while (true)
        {
            var step = framing.Next(input.Unread, out var skip, out var take);
            if (step == BodyStep.Broken) return (BodyFault.Malformed, end);
            if (end - headLength + take > limit) return (BodyFault.TooLarge, end);
            if (take > 0) Append(input.Unread.Slice(skip, take), ref end);
            input.Consume(skip + take);
            if (step == BodyStep.End) return (BodyFault.None, end);
            if (step == BodyStep.Piece) continue;
            var count = await input.FillAsync(deadline);
            if (count <= 0) return (count == -SocketCalls.TimedOut ? BodyFault.TooSlow : BodyFault.ClientLeft, end);
        }
    }

    private void Append(ReadOnlySpan<byte> piece, ref int end)
    {
        if (_rented.Length - end < piece.Length)
        {
            var larger = LoopBuffers.Rent(Math.Max(_rented.Length * 2, end + piece.Length));
            _rented.AsSpan(0, end).CopyTo(larger);
            LoopBuffers.Return(_rented);
            _rented = larger;
        }

        piece.CopyTo(_rented.AsSpan(end));
        end += piece.Length;
    }

    private static ReadOnlyMemory<byte> Continue { get; } = "HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray();
}
