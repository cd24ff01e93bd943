using System.Net;
using Stoker.Platform.Loops;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log;

namespace Stoker.Streams.Serving;

/// <summary>One event loop of a stream with the connections on it.</summary>
internal sealed class StreamLoop
{
    private readonly HashSet<StreamConnection> _connections = [];
    private readonly Stack<Posting> _idle = new();
    private readonly AppendInbox _inbox;
    private readonly long _utcOfZero;
    private List<AppendResult> _answers = [];
    private TaskCompletionSource? _drained;
    private bool _closing;

    /// <param name="utcOfZero">Ticks of UTC when the loop's clock was zero.</param>
    public StreamLoop(StreamState stream, EventLoop events, long utcOfZero)
    {
        (Stream, Events, _utcOfZero) = (stream, events, utcOfZero);
        Answer = new IngestAnswer(stream.Log.Acknowledged);
        _inbox = new AppendInbox(() => events.Post(TakeAnswers));
    }

    public StreamState Stream { get; }

    public EventLoop Events { get; }

    public IngestAnswer Answer { get; }

    /// <summary>Of this turn of the loop.</summary>
    public DateTime Utc => new(_utcOfZero + (Events.Now * TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);

    public void Accept(LoopSocket socket, IPEndPoint peer)
    {
        if (_closing)
        {
            socket.Dispose();
            return;
        }

        var connection = new StreamConnection(this, socket, IPAddress.IsLoopback(peer.Address));
        _connections.Add(connection);
        _ = connection.RunAsync();
    }

    public void Left(StreamConnection connection)
    {
        if (_connections.Remove(connection) && _closing && _connections.Count == 0) _drained?.TrySetResult();
    }

    public Posting Rent() => _idle.TryPop(out var idle) ? idle : new Posting(Stream.Ingest, Stream.Types, Stream.Log, _inbox);

    public void Return(Posting posting) => _idle.Push(posting);

    /// <summary>Has something done on another thread, because it waits for a disk; the answer is taken up on this one.</summary>
    public Task<T> AsideAsync<T>(Func<T> work)
    {
        // Its continuation runs where the result is set, which is the loop's thread.
        var done = new TaskCompletionSource<T>();
        ThreadPool.UnsafeQueueUserWorkItem(
            _ =>
            {
                try
                {
                    var result = work();
                    Events.Post(() => done.SetResult(result));
                }
                catch (Exception failed)
                {
                    Events.Post(() => done.SetException(failed));
                }
            },
            null);
        return done.Task;
    }

    /// <summary>Ends idle connections now and busy ones after their answer; from any thread.</summary>
    /// <returns>Completes when none is left.</returns>
    public Task DrainAsync()
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Events.Post(() =>
        {
            (_closing, _drained) = (true, drained);
            foreach (var connection in _connections.ToList()) connection.CloseSoon();
            if (_connections.Count == 0) drained.TrySetResult();
        });
        return drained.Task;
    }

    private void TakeAnswers()
    {
        _answers = _inbox.Take(_answers);
        foreach (var answer in _answers) ((Posting)answer.State!).Told(answer);
    }
}
