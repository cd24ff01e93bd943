using System.Text.Json;
using Stoker.Streams.Log;

namespace Stoker.Streams.Kafka;

/// <summary>
/// The library's numbers of sending, as it tells them every few seconds: <c>{"msg_cnt": 0, "brokers": {"b:9092/1": {"nodeid": 1, "state": "UP", "tx": …, "rtt": {"avg": µs}}}}</c>
/// (librdkafka's STATISTICS.md). Written by the library's thread, read by anybody.
/// </summary>
internal sealed class KafkaStatistics
{
    private volatile IReadOnlyList<LogMetric> _metrics = [];

    public IReadOnlyList<LogMetric> Metrics => _metrics;

    public void Take(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var metrics = new List<LogMetric>
        {
            new("stoker_stream_kafka_waiting_messages", "gauge", "Events that are on their way to brokers.", "", Number(root, "msg_cnt")),
            new("stoker_stream_kafka_waiting_bytes", "gauge", "Bytes of them.", "", Number(root, "msg_size")),
            new("stoker_stream_kafka_sent_messages_total", "counter", "Events that were sent to brokers.", "", Number(root, "txmsgs")),
        };
        if (root.TryGetProperty("brokers", out var brokers))
        {
            foreach (var broker in brokers.EnumerateObject().Where(each => Number(each.Value, "nodeid") >= 0)) Add(metrics, broker.Value);
        }

        _metrics = metrics;
    }

    private static void Add(List<LogMetric> metrics, JsonElement broker)
    {
        var labels = $"broker=\"{Number(broker, "nodeid")}\"";
        var isUp = broker.TryGetProperty("state", out var state) && state.GetString() == "UP";
        metrics.Add(new LogMetric("stoker_stream_kafka_broker_up", "gauge", "1: there is a connection to it.", labels, isUp ? 1 : 0));
        metrics.Add(new LogMetric("stoker_stream_kafka_broker_requests_total", "counter", "Requests that were sent to it.", labels, Number(broker, "tx")));
        metrics.Add(new LogMetric("stoker_stream_kafka_broker_errors_total", "counter", "Requests that could not be sent.", labels, Number(broker, "txerrs")));
        metrics.Add(new LogMetric("stoker_stream_kafka_broker_retries_total", "counter", "Requests that were sent again.", labels, Number(broker, "txretries")));
        metrics.Add(new LogMetric("stoker_stream_kafka_broker_timeouts_total", "counter", "Requests that it did not answer in time.", labels, Number(broker, "req_timeouts")));
        if (broker.TryGetProperty("rtt", out var time))
        {
            const string help = "How long it takes to answer, on average.";
            metrics.Add(new LogMetric("stoker_stream_kafka_broker_seconds", "gauge", help, labels, Number(time, "avg") / 1e6));
        }
    }

    private static double Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;
}
