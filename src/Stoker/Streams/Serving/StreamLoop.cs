using System.Net;
using Stoker.Http;
using Stoker.Platform.Loops;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log;

namespace Stoker.Streams.Serving;

/// <summary>One event loop of a stream with the connections on it.</summary>
internal sealed class StreamLoop
{
    private readonly ServerConnections _connections;
    private readonly Stack<Posting> _idle = new();
    private readonly AppendInbox _inbox;
    private readonly long _utcOfZero;
    private List<AppendResult> _answers = [];

    /// <param name="utcOfZero">Ticks of UTC when the loop's clock was zero.</param>
    public StreamLoop(StreamState stream, EventLoop events, long utcOfZero)
    {
        (Stream, Events, _utcOfZero) = (stream, events, utcOfZero);
        _connections = new ServerConnections(events);
        Answer = new IngestAnswer(stream.Log.Acknowledged);
        _inbox = new AppendInbox(() => events.Post(TakeAnswers));
    }

    public StreamState Stream { get; }

    public EventLoop Events { get; }

    public IngestAnswer Answer { get; }

    /// <summary>Of this turn of the loop.</summary>
    public DateTime Utc => new(_utcOfZero + (Events.Now * TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);

    public void Accept(LoopSocket socket, IPEndPoint peer) => _connections.Add(new StreamConnection(this, socket, IPAddress.IsLoopback(peer.Address)));

    public Posting Rent() => _idle.TryPop(out var idle) ? idle : new Posting(Stream.Ingest, Stream.Types, Stream.Log, _inbox);

    public void Return(Posting posting) => _idle.Push(posting);

    /// <summary>Ends idle connections now and busy ones after their answer; from any thread.</summary>
    /// <returns>Completes when none is left.</returns>
    public Task DrainAsync() => _connections.DrainAsync();

    private void TakeAnswers()
    {
        _answers = _inbox.Take(_answers);
        foreach (var answer in _answers) ((Posting)answer.State!).Told(answer);
    }
}
