using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Stoker.Gpus;
using Stoker.Platform;
using Stoker.Supervision;

namespace Stoker.Daemon.Protocol;

/// <summary>Asks one estate's daemon over its control socket: a method for each path of <see cref="ControlRoutes"/>.</summary>
/// <param name="patience">How long an answer may take before the daemon counts as not answering.</param>
internal sealed class ControlClient(StateDirectory state, TimeSpan patience)
{
    public ControlReply<DaemonDocument> Daemon() => Ask("GET", ControlRoutes.Daemon, null, StartDocuments.ReadDaemon);

    public ControlReply<StatusDocument> Status() => Ask("GET", ControlRoutes.Status, null, StatusReading.Read);

    /// <summary>The same as it came, for whom only passes it on.</summary>
    public ControlReply<string> StatusText() => Ask("GET", ControlRoutes.Status, null, body => Encoding.UTF8.GetString(body.Span));

    public ControlReply<ApplyResponse> Apply(ApplyRequest request) => Ask("POST", ControlRoutes.Apply, StartDocuments.Write(request), StartDocuments.ReadResponse);

    /// <summary>What the daemon answers to the wish that it was started with.</summary>
    public ControlReply<ApplyResponse> FirstApplied() => Ask("GET", ControlRoutes.Apply, null, StartDocuments.ReadResponse);

    /// <summary>What <see cref="Apply"/> would answer and do; nothing is done.</summary>
    public ControlReply<ApplyResponse> Plan(ApplyRequest request) => Ask("POST", ControlRoutes.Plan, StartDocuments.Write(request), StartDocuments.ReadResponse);

    public ControlReply<AcceptedDocument> Down() => Post(ControlRoutes.Down, null, ControlJson.Default.AcceptedDocument);

    /// <param name="action"><c>start</c>, <c>stop</c>, <c>restart</c> or <c>reload</c>.</param>
    public ControlReply<AcceptedDocument> Request(string service, string action) =>
        Post(ControlRoutes.Service(service, action), null, ControlJson.Default.AcceptedDocument);

    public ControlReply<AcceptedDocument> Scale(string service, int replicas) => Post(
        ControlRoutes.Service(service, "scale"),
        Json(new ScaleRequest(replicas), ControlJson.Default.ScaleRequest),
        ControlJson.Default.AcceptedDocument);

    public ControlReply<WhyDocument> Why(string service) => Get(ControlRoutes.Service(service, "why"), ControlJson.Default.WhyDocument);

    public ControlReply<ProbeDocument> Probe(string service) =>
        Post(ControlRoutes.Service(service, "probe"), null, ControlJson.Default.ProbeDocument);

    public ControlReply<ModelsDocument> Models() => Get(ControlRoutes.Models, ControlJson.Default.ModelsDocument);

    public ControlReply<GpusDocument> Gpus() => Get(ControlRoutes.Gpus, GpuJson.Default.GpusDocument);

    public ControlReply<LedgerDocument> GpuLedger() => Get(ControlRoutes.GpuLedger, GpuJson.Default.LedgerDocument);

    /// <summary>Prometheus' text, as it came.</summary>
    public ControlReply<ReadOnlyMemory<byte>> GpuMetrics() => Ask("GET", ControlRoutes.GpuMetrics, null, body => body);

    public ControlReply<AcceptedDocument> SimulateGpu(GpuSimulationRequest request) =>
        Post(ControlRoutes.GpuSimulate, Json(request, GpuJson.Default.GpuSimulationRequest), ControlJson.Default.AcceptedDocument);

    /// <summary>A document each second.</summary>
    public ValueTask<ControlReply<ControlStream<GpusDocument>>> FollowGpusAsync(CancellationToken cancel) =>
        OpenAsync($"{ControlRoutes.Gpus}?follow=true", line => JsonSerializer.Deserialize(line.Span, GpuJson.Default.GpusDocument)!, cancel);

    public ControlReply<AcceptedDocument> StopDaemon(DaemonStopRequest request) => Post(
        ControlRoutes.DaemonStop,
        Json(request, ControlJson.Default.DaemonStopRequest),
        ControlJson.Default.AcceptedDocument);

    public ControlReply<AcceptedDocument> UpgradeDaemon(DaemonUpgradeRequest request) => Post(
        ControlRoutes.DaemonUpgrade,
        Json(request, ControlJson.Default.DaemonUpgradeRequest),
        ControlJson.Default.AcceptedDocument);

    public ValueTask<ControlReply<ControlStream<StatusDocument>>> FollowStatusAsync(CancellationToken cancel) =>
        OpenAsync($"{ControlRoutes.Status}?follow=true", StatusReading.Read, cancel);

    public ValueTask<ControlReply<ControlStream<EstateEvent>>> EventsAsync(EventQuery query, CancellationToken cancel) =>
        OpenAsync(ControlRoutes.Events + query.ToQueryString(), line => JournalLine.Read(line.Span), cancel);

    public ValueTask<ControlReply<ControlStream<LogDocument>>> LogsAsync(LogFollowQuery query, CancellationToken cancel) =>
        OpenAsync(ControlRoutes.Logs + query.ToQueryString(), line => JsonSerializer.Deserialize(line.Span, ControlJson.Default.LogDocument)!, cancel);

    private static byte[] Json<T>(T document, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(document, type);

    private ControlReply<T> Get<T>(string path, JsonTypeInfo<T> type) => Ask("GET", path, null, body => JsonSerializer.Deserialize(body.Span, type)!);

    // A POST without a body still says that there is none, as HTTP/1.1 wants it.
    private ControlReply<T> Post<T>(string path, byte[]? body, JsonTypeInfo<T> type) => Ask("POST", path, body ?? "{}"u8.ToArray(), answer => JsonSerializer.Deserialize(answer.Span, type)!);

    private ControlReply<T> Ask<T>(string method, string path, byte[]? body, Func<ReadOnlyMemory<byte>, T> read)
    {
        try
        {
            using var socket = ControlSocket.Of(state);
            if (socket is null) return NotThere<T>();
            var answer = ControlAnswer.Ask(socket.Path, method, path, body, patience);
            return answer.Status is >= 200 and < 300
                ? new ControlReply<T>.Answered(read(answer.Body))
                : new ControlReply<T>.Rejected(answer.Status, ReadError(answer.Status, answer.Body.Span));
        }
        catch (UnixConversationException e)
        {
            return NoDaemon<T>(e.Error);
        }
        catch (IOException e)
        {
            return new ControlReply<T>.NoDaemon(e.Message);
        }
    }

    private async ValueTask<ControlReply<ControlStream<T>>> OpenAsync<T>(
        string path, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancel)
        where T : class
    {
        ControlConnection? connection = null;
        try
        {
            using var socket = ControlSocket.Of(state);
            if (socket is null) return NotThere<ControlStream<T>>();
            connection = ControlConnection.Connect(socket.EndPoint);
            await connection.GetAsync(path, cancel);
            if (connection.Status is >= 200 and < 300)
            {
                var stream = new ControlStream<T>(connection, read);
                connection = null;
                return new ControlReply<ControlStream<T>>.Answered(stream);
            }

            var answer = await connection.ReadToEndAsync(cancel);
            return new ControlReply<ControlStream<T>>.Rejected(connection.Status, ReadError(connection.Status, answer));
        }
        catch (SocketException e)
        {
            return NoDaemon<ControlStream<T>>(e.NativeErrorCode);
        }
        catch (IOException e)
        {
            return new ControlReply<ControlStream<T>>.NoDaemon(e.Message);
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private static ErrorBody ReadError(int status, ReadOnlySpan<byte> answer)
    {
        try
        {
            if (JsonSerializer.Deserialize(answer, ControlJson.Default.ErrorDocument)?.Error is { } error) return error;
        }
        catch (JsonException)
        {
            // Not of the shape that the daemon's refusals have: shown as it came.
        }

        return new ErrorBody(ErrorCodes.Internal, $"the daemon answered {status}: {Encoding.UTF8.GetString(answer)}".TrimEnd(' ', ':'));
    }

    private ControlReply<T> NotThere<T>() => new ControlReply<T>.NoDaemon($"there is no {state.Path}");

    private ControlReply<T> NoDaemon<T>(int error) => new ControlReply<T>.NoDaemon(error switch
    {
        Errno.ConnectionRefused => $"nothing listens at {state.ControlSocket}",
        Errno.AccessDenied => $"{state.ControlSocket} may not be entered by this user",
        Errno.TimedOut or Errno.Again => $"{state.ControlSocket} gave no answer within {patience.TotalSeconds:0} s",
        Errno.ConnectionReset or Errno.BrokenPipe => "the daemon ended before it answered",
        _ => $"there is no {state.ControlSocket}",
    });
}
