using Confluent.Kafka;
using Stoker.Streams.Log;

namespace Stoker.Streams.Kafka;

/// <summary>
/// This process's place in the stream's consumer group, which decides who stores and archives which partition; it fetches nothing itself.
/// <code>
/// assigned ─► held by its workers (HoldAsync) ─► revoked: they are told, end what is under way, let go ─► given away
///                    └─ lost (silent for too long): they are told; the store's epoch keeps what is still written out
/// </code>
/// Positions are committed to the group when the store has them, for tools that show a lag: nobody begins from them.
/// </summary>
internal sealed class KafkaGroup : IDisposable
{
    /// <summary>How long a rebalance waits for what is under way. Below what the group allows, so that this process is not put out of it.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200), CommitEvery = TimeSpan.FromSeconds(1);

    private readonly IConsumer<byte[], byte[]?> _consumer;
    private readonly string _topic;
    private readonly TimeProvider _clock;
    private readonly Action<string> _say;
    private readonly Lock _access = new();
    private readonly Dictionary<int, Turn> _turns = [];
    private readonly Dictionary<int, ulong> _toCommit = [];
    private readonly Dictionary<int, List<(string Consumer, TaskCompletionSource<PartitionHold> Asked)>> _waiting = [];
    private readonly Thread _thread;
    private volatile bool _stopping;

    public KafkaGroup(KafkaSettings settings, KafkaTalk talk, TimeProvider clock, Action<string> say)
    {
        (_topic, _clock, _say) = (settings.Address.Topic, clock, say);
        _consumer = new ConsumerBuilder<byte[], byte[]?>(settings.Member())
            .SetLogHandler((_, message) => talk.Hear(message))
            .SetErrorHandler((_, error) => talk.Hear(error))
            .SetPartitionsAssignedHandler((_, partitions) => Assigned(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => Gone(partitions.Select(each => each.Partition.Value), DrainTime))
            .SetPartitionsLostHandler((_, partitions) => Gone(partitions.Select(each => each.Partition.Value), TimeSpan.Zero))
            .Build();
        _thread = new Thread(Run) { IsBackground = true, Name = "kafka group" };
        _thread.Start();
    }

    public bool Has(int partition)
    {
        lock (_access) return _turns.ContainsKey(partition);
    }

    public Task<PartitionHold> HoldAsync(int partition, string consumer, CancellationToken cancellation)
    {
        var asked = new TaskCompletionSource<PartitionHold>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_access)
        {
            if (_turns.TryGetValue(partition, out var turn) && turn.Take(consumer) is { } hold) return Task.FromResult(hold);
            if (!_waiting.TryGetValue(partition, out var queue)) _waiting[partition] = queue = [];
            queue.Add((consumer, asked));
        }

        // Whoever gives up waiting is not given the partition afterwards.
        var registration = cancellation.Register(() => asked.TrySetCanceled(cancellation));
        _ = asked.Task.ContinueWith(_ => registration.Dispose(), TaskScheduler.Default);
        return asked.Task;
    }

    public void Commit(int partition, ulong next)
    {
        lock (_access) _toCommit[partition] = next;
    }

    public void Dispose()
    {
        _stopping = true;
        _thread.Join();
    }

    private void Run()
    {
        _consumer.Subscribe(_topic);
        var committed = _clock.GetTimestamp();
        while (!_stopping)
        {
            try
            {
                _consumer.Consume(Look);
                Pause();
            }
            catch (KafkaException failed)
            {
                _say($"warning: kafka: the group of the stream: {failed.Error.Reason}");
            }

            if (_clock.GetElapsedTime(committed) < CommitEvery) continue;
            CommitAll();
            committed = _clock.GetTimestamp();
        }

        CommitAll();
        try
        {
            // Leaves the group, so that others need not wait until it is missed.
            _consumer.Close();
        }
        catch (KafkaException)
        {
            // It is missed after a while.
        }

        _consumer.Dispose();
    }

    /// <summary>What is assigned is read by the workers, from where their stores are.</summary>
    private void Pause()
    {
        lock (_access)
        {
            var fresh = _turns.Where(each => !each.Value.IsPaused).ToList();
            if (fresh.Count == 0) return;
            _consumer.Pause(fresh.Select(each => new TopicPartition(_topic, each.Key)));
            foreach (var (_, turn) in fresh) turn.IsPaused = true;
        }
    }

    private IEnumerable<TopicPartitionOffset> Assigned(List<TopicPartition> partitions)
    {
        _say($"partitions {string.Join(", ", partitions.Select(each => each.Partition.Value).Order())} are stored here");
        lock (_access)
        {
            foreach (var partition in partitions.Select(each => each.Partition.Value))
            {
                var turn = _turns[partition] = new Turn();
                foreach (var (consumer, asked) in _waiting.Remove(partition, out var queue) ? queue : [])
                {
                    if (asked.Task.IsCompleted || turn.Take(consumer) is not { } hold) continue;
                    if (!asked.TrySetResult(hold)) hold.Dispose();
                }
            }
        }

        return partitions.Select(each => new TopicPartitionOffset(each, Offset.End));
    }

    private void Gone(IEnumerable<int> partitions, TimeSpan patience)
    {
        var gone = new List<(int Partition, Turn Turn)>();
        lock (_access)
        {
            foreach (var partition in partitions)
            {
                if (!_turns.Remove(partition, out var turn)) continue;
                _toCommit.Remove(partition);
                gone.Add((partition, turn));
            }
        }

        if (gone.Count > 0 && !_stopping)
        {
            var why = patience > TimeSpan.Zero ? "are given to another process" : "are this process's no more: the group has not heard from it";
            _say($"partitions {string.Join(", ", gone.Select(each => each.Partition).Order())} {why}");
        }

        foreach (var (_, turn) in gone) turn.End();
        var all = Task.WhenAll(gone.SelectMany(each => each.Turn.LetGo()));
        if (!all.Wait(patience) && patience > TimeSpan.Zero) _say("warning: what was being stored has not ended in time; the store refuses it when another process begins");
    }

    private void CommitAll()
    {
        List<TopicPartitionOffset> offsets;
        lock (_access)
        {
            offsets = [.. _toCommit.Select(each => new TopicPartitionOffset(_topic, each.Key, (long)each.Value))];
            _toCommit.Clear();
        }

        if (offsets.Count == 0) return;
        try
        {
            _consumer.Commit(offsets);
        }
        catch (KafkaException)
        {
            // In a rebalance, or without a coordinator; tools see an older position until the next commit.
            lock (_access)
            {
                foreach (var offset in offsets.Where(offset => _turns.ContainsKey(offset.Partition.Value))) _toCommit.TryAdd(offset.Partition.Value, (ulong)offset.Offset.Value);
            }
        }
    }

    /// <summary>The time in which a partition is this process's.</summary>
    private sealed class Turn : IDisposable
    {
        private readonly CancellationTokenSource _wanted = new();
        private readonly Dictionary<string, TaskCompletionSource> _held = [];

        public bool IsPaused { get; set; }

        /// <summary>They complete when nobody here takes the partition's events any further. Nobody begins to once it is at its end.</summary>
        public IEnumerable<Task> LetGo() => _held.Values.Select(held => held.Task);

        /// <summary>Null: the consumer has it already, or it is at its end.</summary>
        public PartitionHold? Take(string consumer)
        {
            if (_held.GetValueOrDefault(consumer) is { Task.IsCompleted: false } || _wanted.IsCancellationRequested) return null;
            var held = _held[consumer] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new PartitionHold(_wanted.Token, held.SetResult);
        }

        public void End() => _wanted.Cancel();

        public void Dispose() => _wanted.Dispose();
    }
}
