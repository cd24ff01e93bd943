using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Stoker.Streams.Kafka;

/// <summary>What the cluster says about a topic.</summary>
/// <param name="Replicas">Of the partition that has the fewest.</param>
/// <param name="LeastInSync"><c>min.insync.replicas</c>; null: the cluster does not tell.</param>
internal sealed record TopicFacts(string Topic, int Partitions, int Replicas, int? LeastInSync)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15), ConfigPatience = TimeSpan.FromSeconds(2);

    /// <summary>Asks for all topics, because asking for one makes it where the cluster makes topics by itself.</summary>
    /// <exception cref="IOException">There is no such topic, or nobody answers.</exception>
    public static TopicFacts Read(IClient client, KafkaAddress address, KafkaTalk talk)
    {
        using var admin = new DependentAdminClientBuilder(client.Handle).Build();
        Metadata all;
        try
        {
            all = admin.GetMetadata(Patience);
        }
        catch (KafkaException silent)
        {
            throw new IOException($"no broker of {address.Brokers} answers: {talk.Refusal ?? silent.Error.Reason}", silent);
        }

        if (all.Topics.Find(each => each.Topic == address.Topic) is not { } topic)
            throw new IOException($"there is no topic `{address.Topic}` on {address.Brokers}, or it may not be seen; make it, with as many partitions as are to be stored side by side");
        if (topic.Error.IsError || topic.Partitions.Count == 0) throw new IOException($"the topic `{address.Topic}` cannot be used: {topic.Error.Reason}");
        return new TopicFacts(address.Topic, topic.Partitions.Count, topic.Partitions.Min(partition => partition.Replicas.Length), ReadLeastInSync(admin, address.Topic));
    }

    /// <summary>For a person, at the start and in the status.</summary>
    public string Words() =>
        $"topic {Topic}: {Partitions} {(Partitions == 1 ? "partition" : "partitions")}, {Replicas} {(Replicas == 1 ? "replica" : "replicas")} of each, "
        + $"min.insync.replicas {LeastInSync?.ToString() ?? "not told"}";

    /// <summary>What speaks against trusting it with what is acknowledged.</summary>
    public IEnumerable<string> Doubts()
    {
        if (Replicas == 1) yield return "each event is on one broker only: what was acknowledged is gone with that broker's disk, and what its page cache held with its power";
        else if (LeastInSync == 1) yield return "min.insync.replicas is 1: an event may be acknowledged while one broker has it; 2 is usual with 3 replicas";
    }

    private static int? ReadLeastInSync(IAdminClient admin, string topic)
    {
        try
        {
            var asked = admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic }], new DescribeConfigsOptions { RequestTimeout = ConfigPatience });
            return asked.GetAwaiter().GetResult()[0].Entries.TryGetValue("min.insync.replicas", out var entry) && int.TryParse(entry.Value, out var least) ? least : null;
        }
        catch (KafkaException)
        {
            // It needs a right of its own, and some clusters do not have it at all.
            return null;
        }
    }
}
