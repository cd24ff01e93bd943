using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Stoker.Streams.Kafka;

/// <summary>What the library has to say, as lines of the stream's log: warnings and worse, each at most once a minute.</summary>
internal sealed class KafkaTalk(Action<string> say, TimeProvider clock)
{
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _said = new();

    public void Hear(LogMessage message)
    {
        // Asked for are all topics, so that none is made by asking; which old brokers could not be told is of no matter.
        if (message.Level <= SyslogLevel.Warning && message.Facility != "AUTOCREATE") Say(message.Facility, $"kafka: {message.Message}");
    }

    public void Hear(Error error) => Say($"{error.Code}", $"kafka: {error.Reason}");

    private void Say(string kind, string words)
    {
        var now = clock.GetTimestamp();
        var last = _said.AddOrUpdate(kind, now, (_, before) => clock.GetElapsedTime(before, now) > Again ? now : before);
        if (last == now) say($"warning: {words}");
    }
}
