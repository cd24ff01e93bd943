using System.Text.Json;
using Stoker.Estates;

namespace Stoker.Supervision;

/// <summary>
/// An <see cref="EstateEvent"/> as one line of JSON: in the journal's file, in <c>GET /v1/events</c> and in <c>stoker events --json</c>. By hand: it
/// is on the path of every start, and the serializer's first use costs more than starting a service does.
/// </summary>
internal static class JournalLine
{
    /// <summary>With the line feed.</summary>
    public static byte[] Write(EstateEvent line)
    {
        var document = JsonByHand.Object(line, static (json, line) =>
        {
            json.WriteNumber("sequence", line.Sequence);
            json.WriteString("at", line.At);
            json.WriteString("service", line.Service?.Value);
            json.WriteOptional("replica", line.Replica);
            json.WriteString("kind", line.Kind);
            json.WriteString("state", line.State is { } state ? StateWords.Of(state) : null);
            json.WriteString("text", line.Text);
            json.WriteOptional("cause", line.Cause);
        });
        return [.. document, (byte)'\n'];
    }

    /// <summary>Keys in any order; of those it does not know a reader wants nothing.</summary>
    /// <exception cref="JsonException">The line is torn, or is something else.</exception>
    public static EstateEvent Read(ReadOnlySpan<byte> line)
    {
        var json = new Utf8JsonReader(line);
        var read = new EstateEvent(0, default, null, null, "", null, "", null);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw new JsonException("an event is an object");
        try
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var key = json.GetString();
                json.Read();
                if (json.TokenType != JsonTokenType.Null) read = With(read, key, ref json);
            }
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or FormatException)
        {
            throw new JsonException("a value of an event is not what it should be", wrong);
        }

        return read.Sequence > 0 && json.TokenType == JsonTokenType.EndObject ? read : throw new JsonException("an event has a sequence");
    }

    private static EstateEvent With(EstateEvent read, string? key, ref Utf8JsonReader value)
    {
        switch (key)
        {
            case "sequence":
                return read with { Sequence = value.GetInt64() };
            case "at":
                return read with { At = value.GetDateTimeOffset() };
            case "service":
                return read with { Service = new ServiceName(value.GetString()!) };
            case "replica":
                return read with { Replica = value.GetInt32() };
            case "kind":
                return read with { Kind = value.GetString()! };
            case "state":
                return read with { State = StateWords.Read(value.GetString()) };
            case "text":
                return read with { Text = value.GetString()! };
            case "cause":
                return read with { Cause = value.GetInt64() };
            default:
                value.Skip();
                return read;
        }
    }
}
