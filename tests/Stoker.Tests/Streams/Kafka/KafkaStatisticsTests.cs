using Stoker.Streams.Kafka;
using Stoker.Streams.Log;
using Xunit;

namespace Stoker.Tests.Streams.Kafka;

public sealed class KafkaStatisticsTests
{
    [Fact]
    public void The_librarys_numbers_become_metrics_and_bootstrap_addresses_are_no_brokers()
    {
        var statistics = new KafkaStatistics();
        Assert.Empty(statistics.Metrics);
        statistics.Take("""{"msg_cnt":3,"msg_size":900,"txmsgs":12,"brokers":{"b:1/bootstrap":{"nodeid":-1,"state":"UP"},"b:1/2":{"nodeid":2,"state":"DOWN","tx":7,"txerrs":1,"txretries":4,"req_timeouts":5,"rtt":{"avg":1500}}}}""");
        Assert.Equal(
            [
                "stoker_stream_kafka_waiting_messages 3", "stoker_stream_kafka_waiting_bytes 900", "stoker_stream_kafka_sent_messages_total 12", "stoker_stream_kafka_broker_up{broker=\"2\"} 0",
                "stoker_stream_kafka_broker_requests_total{broker=\"2\"} 7", "stoker_stream_kafka_broker_errors_total{broker=\"2\"} 1", "stoker_stream_kafka_broker_retries_total{broker=\"2\"} 4",
                "stoker_stream_kafka_broker_timeouts_total{broker=\"2\"} 5", "stoker_stream_kafka_broker_seconds{broker=\"2\"} 0.0015",
            ],
            statistics.Metrics.Select(each => FormattableString.Invariant($"{each.Name}{Braced(each.Labels)} {each.Value}")));
    }

    [Fact]
    public void A_request_is_answered_once_with_the_worst_of_its_events_and_an_offset_for_each()
    {
        var (announced, ended) = (0, 0);
        var inbox = new AppendInbox(() => announced++);
        var state = new object();
        var pending = new PendingAppend(2, inbox, state, 3, () => ended++);
        pending.Tell(2, AppendOutcome.Durable, 9);
        pending.Tell(0, AppendOutcome.Durable, 4);
        Assert.Equal((0, 0), (announced, ended));
        pending.Tell(1, AppendOutcome.Durable, 7);
        var result = Assert.Single(inbox.Take([]));
        Assert.Equal((AppendOutcome.Durable, state, 2), (result.Outcome, result.State, result.Partition));
        Assert.Equal([4UL, 7, 9], Enumerable.Range(0, 3).Select(index => result.OffsetOf((uint)index)));
        Assert.Equal((1, 1), (announced, ended));

        var worse = new PendingAppend(0, inbox, state, 3, () => ended++);
        foreach (var (index, outcome) in new[] { AppendOutcome.Unavailable, AppendOutcome.TooLarge, AppendOutcome.Durable }.Index()) worse.Tell((uint)index, outcome, 0);
        Assert.Equal(AppendOutcome.TooLarge, Assert.Single(inbox.Take([])).Outcome);
    }

    private static string Braced(string labels) => labels.Length > 0 ? $"{{{labels}}}" : "";
}
