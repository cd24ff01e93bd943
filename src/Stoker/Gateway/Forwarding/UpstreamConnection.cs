using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>One connection to a replica, with what it has received.</summary>
internal sealed class UpstreamConnection(UpstreamTarget target, IWire wire) : IDisposable
{
    private readonly OutputBuffer _head = new();

    public UpstreamTarget Target => target;

    public IWire Wire => wire;

    public HttpInput Input { get; } = new(wire);

    /// <summary>The head of the present answer, kept apart: it is passed on when what was received with it may be gone.</summary>
    public MessageHead Head { get; } = new();

    /// <summary>It has carried a request before: a break before the answer may only mean that the server had closed it meanwhile.</summary>
    public bool IsReused { get; set; }

    /// <summary>The request was sent to its end: else what is sent next would be taken for the rest of it.</summary>
    public bool IsSound { get; set; } = true;

    /// <summary>When it was put back, in the loop's milliseconds.</summary>
    public long IdleSince { get; set; }

    /// <summary>Takes the head out of what was received.</summary>
    public HeadFault TakeHead(int length)
    {
        _head.Clear();
        _head.Write(Input.Unread[..length]);
        Input.Consume(length);
        return Head.ReadAnswer(_head.Memory);
    }

    /// <summary>Gives back what is only needed while it is used.</summary>
    public void Rest()
    {
        Input.Release();
        _head.Clear();
        _head.Release();
    }

    public void Dispose()
    {
        Rest();
        wire.Dispose();
    }
}
