using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Stoker.Streams.Kafka;

/// <summary>What the library has to say, as lines of the stream's log: warnings and worse, each at most once a minute.</summary>
internal sealed class KafkaTalk(Action<string> say, TimeProvider clock)
{
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _said = new();

    private volatile string? _refusal;

    /// <summary>Why a broker, or the stream itself, would not go on after the connection was made: certificates, users. Null: nothing was heard of that.</summary>
    public string? Refusal => _refusal;

    /// <summary>A broker answers.</summary>
    public void Answered() => _refusal = null;

    public void Hear(LogMessage message)
    {
        // [thrd:sasl_ssl://b:9092/bootstrap]: sasl_ssl://b:9092/bootstrap: SASL authentication error: Authentication failed (after 3ms in state AUTH_REQ)
        if (message.Facility == "FAIL" && (message.Message.Contains(" SASL ", StringComparison.Ordinal) || message.Message.Contains(" SSL ", StringComparison.Ordinal)))
            _refusal = message.Message[(message.Message.IndexOf("]: ", StringComparison.Ordinal) is >= 0 and var end ? end + 3 : 0)..];
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
