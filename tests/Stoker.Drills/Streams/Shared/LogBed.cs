using Stoker.Streams;

namespace Stoker.Drills.Streams.Shared;

/// <summary>The log of a drill, and what it needs beside the stream.</summary>
internal sealed class LogBed(Func<StreamPlan, StreamPlan> change, MockKafka? kafka = null) : IAsyncDisposable
{
    public Func<StreamPlan, StreamPlan> Change => change;

    public static LogBed Embedded(int partitions) => new(plan => plan with { Partitions = partitions });

    public static async Task<LogBed> KafkaAsync(int partitions)
    {
        var kafka = await MockKafka.StartAsync(partitions);
        return new LogBed(plan => plan with { Partitions = 0, Log = kafka.Address }, kafka);
    }

    public ValueTask DisposeAsync() => kafka?.DisposeAsync() ?? ValueTask.CompletedTask;
}
