using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Stoker.Daemon.Protocol;
using Stoker.Platform.Loops;

namespace Stoker.Daemon;

/// <summary>
/// One request over the control socket and its answer, as an endpoint sees it, on whatever thread it runs: one document, or a stream that begins
/// with <see cref="BeginStream"/>.
/// </summary>
internal sealed class ControlExchange : IDisposable
{
    /// <summary>So much of a stream is put together before it is sent, unless it is flushed.</summary>
    private const int Usual = 32 << 10;

    private readonly ControlConnection _connection;
    private readonly EventLoop _events;
    private readonly byte[] _body;
    private readonly CancellationTokenSource _left = new();
    private readonly ILookup<string, string> _query;
    private readonly ArrayBufferWriter<byte> _pending = new();
    private bool _isAnswered;
    private bool _headIsSent;

    /// <param name="target">Path and query.</param>
    public ControlExchange(ControlConnection connection, EventLoop events, string method, string target, byte[] body)
    {
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        (_connection, _events, Method, Path, _body) = (connection, events, method, mark < 0 ? target : target[..mark], body);
        _query = (mark < 0 ? "" : target[(mark + 1)..]).Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2))
            .ToLookup(pair => Unescaped(pair[0]), pair => pair.Length > 1 ? Unescaped(pair[1]) : "");
    }

    public string Method { get; }

    public string Path { get; }

    /// <summary>The part of the path that stands for a name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The answer is a stream.</summary>
    public bool IsStream { get; private set; }

    /// <summary>The caller has left, or the daemon ends.</summary>
    public CancellationToken Left => _left.Token;

    /// <summary>The first value of a query's key; null: there is none.</summary>
    public string? Query(string key) => _query[key].FirstOrDefault();

    public IEnumerable<string> QueryAll(string key) => _query[key];

    public void Dispose() => _left.Dispose();

    public static byte[] Error(string code, string message, string? hint) =>
        JsonSerializer.SerializeToUtf8Bytes(new ErrorDocument(new ErrorBody(code, message, hint)), ControlJson.Readable.ErrorDocument);

    public Task AnswerAsync<T>(T document, JsonTypeInfo<T> type) => AnswerAsync(JsonSerializer.SerializeToUtf8Bytes(document, type));

    /// <param name="document">JSON.</param>
    public Task AnswerAsync(byte[] document) => AnswerAsync(200, document);

    /// <param name="text">Plain, in UTF-8; read until the task completes.</param>
    public Task AnswerTextAsync(ReadOnlyMemory<byte> text)
    {
        _isAnswered = true;
        return OnLoopAsync(() => _connection.SendAsync(200, "text/plain; charset=utf-8"u8, text.Span));
    }

    public Task AnswerAsync(int status, string code, string message, string? hint = null) => AnswerAsync(status, Error(code, message, hint));

    /// <summary>The body, or null after it has been answered that it is not what it should be.</summary>
    public async Task<T?> ReadAsync<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (_body.Length > 0 && JsonSerializer.Deserialize(_body, type) is { } document) return document;
            await AnswerAsync(422, ErrorCodes.Invalid, "the body is empty");
        }
        catch (JsonException wrong)
        {
            await AnswerAsync(422, ErrorCodes.Invalid, $"the body is not what it should be: {wrong.Message}");
        }

        return null;
    }

    public void BeginStream() => (IsStream, _isAnswered) = (true, true);

    /// <summary>One document and the line's end, sent with those before it once there are enough of them.</summary>
    public Task WriteLineAsync(ReadOnlySpan<byte> json)
    {
        _pending.Write(json);
        if (json.IsEmpty || json[^1] != '\n') _pending.Write("\n"u8);
        return _pending.WrittenCount >= Usual ? FlushAsync() : Task.CompletedTask;
    }

    /// <exception cref="OperationCanceledException">The caller has left.</exception>
    public Task FlushAsync() => OnLoopAsync(() =>
    {
        if (!_headIsSent) _connection.BeginStream();
        _headIsSent = true;
        var sending = _connection.SendPieceAsync(_pending.WrittenSpan);
        _pending.ResetWrittenCount();
        return sending;
    });

    /// <summary>Nobody reads the answer any more.</summary>
    internal void Leave() => _ = _left.CancelAsync();

    /// <summary>Has it answered; a bug or a broken machine is told to the caller, where it still can be, and survived by the daemon.</summary>
    /// <returns>Whether the answer is whole.</returns>
    internal async Task<bool> RunAsync(ControlServer server)
    {
        try
        {
            await AnswerOrFailAsync(server.Routes);
            return true;
        }
        catch (OperationCanceledException) when (Left.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception fault)
        {
            server.Report(fault);
            return false;
        }
    }

    private async Task AnswerOrFailAsync(ControlTable routes)
    {
        try
        {
            await routes.AnswerAsync(this);
            if (IsStream) await FlushAsync();
        }
        catch (Exception fault) when (!_isAnswered && !Left.IsCancellationRequested)
        {
            await AnswerAsync(500, ErrorCodes.Internal, $"{fault.GetType().Name}: {fault.Message}", "this is a fault of Stoker or of this machine; the daemon goes on");
        }
    }

    private Task AnswerAsync(int status, byte[] json)
    {
        _isAnswered = true;
        return OnLoopAsync(() => _connection.SendAsync(status, ControlConnection.Json, json));
    }

    /// <summary>Sends on the loop's thread; completes, elsewhere, when it is sent.</summary>
    private async Task OnLoopAsync(Func<ValueTask<bool>> send)
    {
        Left.ThrowIfCancellationRequested();
        var sent = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _events.Post(() => _ = SendAsync());
        if (await sent.Task) return;
        Leave();
        throw new OperationCanceledException(Left);

        async Task SendAsync()
        {
            try
            {
                sent.SetResult(await send());
            }
            catch (Exception bug)
            {
                sent.SetException(bug);
            }
        }
    }

    private static string Unescaped(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
