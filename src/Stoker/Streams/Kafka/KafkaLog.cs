using Stoker.Streams.Ingest;
using Stoker.Streams.Log;

namespace Stoker.Streams.Kafka;

/// <summary>A topic as a stream's log.</summary>
internal sealed class KafkaLog : IEventLog
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1), CloseTime = TimeSpan.FromSeconds(6);

    private readonly KafkaTopic _topic;
    private readonly KafkaProducer _producer;
    private readonly KafkaGroup _group;
    private readonly KafkaStatistics _statistics;
    private readonly List<KafkaPartition> _partitions;
    private readonly TopicFacts _facts;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _looking;

    private KafkaLog(KafkaTopic topic, TopicFacts facts, KafkaProducer producer, KafkaGroup group, KafkaStatistics statistics, List<KafkaPartition> partitions, TimeProvider clock)
    {
        (_topic, _facts, _producer, _group, _statistics, _partitions) = (topic, facts, producer, group, statistics, partitions);
        _looking = Task.Factory.StartNew(() => Look(clock), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public string Name => _topic.Name;

    public IReadOnlyList<IEventPartition> Partitions => _partitions;

    public string Acknowledged => "every broker in sync has it";

    public string? Words => _facts.Words();

    /// <param name="partitions">As many as the topic must have; null: as it has.</param>
    /// <exception cref="IOException">The library or the topic is not there, nobody answers, or the topic has other partitions.</exception>
    public static KafkaLog Open(KafkaSettings settings, int? partitions, IngestSpec ingest, TimeProvider clock, Action<string> say)
    {
        KafkaLibrary.Need();
        TlsTrial.Run(settings.Address);
        var talk = new KafkaTalk(say, clock);
        var topic = new KafkaTopic(settings, ingest, talk);
        KafkaProducer? producer = null;
        try
        {
            var facts = TopicFacts.Read(topic.Client, settings.Address, topic.Talk);
            if (partitions is { } wanted && wanted != facts.Partitions)
                throw new IOException($"the topic `{facts.Topic}` has {facts.Partitions} partitions and the file wants {wanted}: leave `partitions` out, or name a topic that has as many");
            topic.Identify();
            var statistics = new KafkaStatistics();
            var all = new List<KafkaPartition>();
            producer = new KafkaProducer(settings, talk, statistics, (partition, next) => all[partition].Advance(next));
            var group = new KafkaGroup(settings, talk, clock, say);
            for (var number = 0; number < facts.Partitions; number++) all.Add(new KafkaPartition(topic, producer, group, number));
            foreach (var partition in all) partition.Refresh();
            say($"{facts.Words()}; the log is {topic.Name}, the group {settings.Group}");
            foreach (var doubt in facts.Doubts()) say($"warning: {doubt}");
            return new KafkaLog(topic, facts, producer, group, statistics, all, clock);
        }
        catch
        {
            producer?.Dispose();
            topic.Dispose();
            throw;
        }
    }

    public IReadOnlyList<LogMetric> Metrics() => _statistics.Metrics;

    /// <summary>Sends what waits, gives its partitions back, and closes.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        var closing = Task.Factory.StartNew(
            () =>
            {
                _group.Dispose();
                _producer.Dispose();
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        // What no broker answers is not waited for; it ends with the process.
        if (!Task.WaitAll([closing, _looking], CloseTime)) return;
        _topic.Dispose();
        _stop.Dispose();
    }

    /// <summary>Others write the topic too, and the broker deletes from its front: both are looked at again and again.</summary>
    private void Look(TimeProvider clock)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        try
        {
            while (timer.WaitForNextTickAsync(_stop.Token).AsTask().GetAwaiter().GetResult())
            {
                foreach (var partition in _partitions) TryRefresh(partition);
            }
        }
        catch (OperationCanceledException)
        {
            // It is closed.
        }
    }

    private static void TryRefresh(KafkaPartition partition)
    {
        try
        {
            partition.Refresh();
        }
        catch (IOException)
        {
            // The partition's status tells it.
        }
    }
}
