using System.Net;
using System.Text;
using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Gpus;

/// <summary>Serves one page, <c>/metrics</c>, to Prometheus on this machine.</summary>
internal sealed class GpuMetricsServer : IDisposable
{
    private readonly EventLoop _events = new("gpu metrics");
    private readonly ServerConnections _connections;
    private readonly LoopListener _listener;

    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public GpuMetricsServer(IPEndPoint address, Func<Task<MetricsAnswer>> page, Action<string> problem)
    {
        _connections = new ServerConnections(_events);
        _listener = LoopListener.Listen(address, [_events], (socket, peer) => _connections.Add(new Connection(_events, socket, page, problem)), problem);
    }

    public IPEndPoint Address => _listener.Address;

    public void Dispose()
    {
        _listener.Dispose();
        _events.Dispose();
    }

    private sealed class Connection : ServerConnection
    {
        private const long StallTime = 10_000;

        private readonly EventLoop _events;
        private readonly Func<Task<MetricsAnswer>> _page;
        private readonly Action<string> _problem;
        private bool _isBusy;

        public Connection(EventLoop events, IWire wire, Func<Task<MetricsAnswer>> page, Action<string> problem)
            : base(events, wire, StallTime) => (_events, _page, _problem) = (events, page, problem);

        protected override bool IsBusy => _isBusy;

        protected override async ValueTask<bool> AnswerAsync()
        {
            _isBusy = true;
            try
            {
                var path = Encoding.ASCII.GetString(Head.Target).Split('?')[0];
                if (path != "/metrics") return await SendAsync(404, "the page is at /metrics\n"u8) && FinishRequest(bodyWasRead: false);
                // Its making waits for the daemon.
                var answer = await _events.AsideAsync(_page);
                return await SendAsync(answer.Status, answer.Text.Span) && FinishRequest(bodyWasRead: false);
            }
            finally
            {
                _isBusy = false;
            }
        }

        protected override ValueTask<bool> RefuseAsync(HeadFault? fault) => SendAsync(fault is null ? 408 : 400, "that is no request of HTTP/1.1\n"u8);

        protected override void Report(Exception bug) => _problem($"a request for the metrics ended with a bug of Stoker's: {bug}");

        private ValueTask<bool> SendAsync(int status, ReadOnlySpan<byte> text)
        {
            WriteStatus(status);
            Output.WriteField("content-type"u8, Encoding.ASCII.GetBytes(PrometheusPage.ContentType));
            Output.WriteField("content-length"u8, text.Length);
            WriteConnectionField();
            Output.Write("\r\n"u8);
            Output.Write(text);
            return FlushAsync();
        }
    }
}

/// <summary>A page of metrics, or why there is none.</summary>
/// <param name="Text">UTF-8.</param>
internal readonly record struct MetricsAnswer(int Status, ReadOnlyMemory<byte> Text);
