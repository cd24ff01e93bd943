using System.Text.Json;

namespace Stoker.Gateway.Forwarding;

/// <summary>Which dialect a stream speaks: how its end is told.</summary>
internal enum StreamDialect
{
    /// <summary><c>choices[].finish_reason</c>, then <c>data: [DONE]</c>.</summary>
    Completions,

    /// <summary>Typed events of <c>/v1/responses</c>, ended by <c>response.completed</c>, <c>.incomplete</c> or <c>.failed</c>.</summary>
    Responses,

    /// <summary>Anything else: its end is not known, so only a broken connection is a truncation.</summary>
    Opaque,
}

/// <summary>What one event is to the gateway.</summary>
internal enum EventKind
{
    /// <summary>A comment, or data that means nothing to us: passed on.</summary>
    Other,

    /// <summary>Carries a piece of the answer.</summary>
    Content,

    /// <summary>Carries only usage, which the client may not have asked for.</summary>
    UsageOnly,

    /// <summary>The engine says that it failed.</summary>
    Error,

    /// <summary><c>[DONE]</c>.</summary>
    Done,

    /// <summary>Data that is not what the dialect says: the stream is not to be trusted any more.</summary>
    Malformed,
}

/// <summary>
/// Watches a stream as it passes and knows at its end whether the answer was whole. A stream is whole when each choice that began
/// has told its <c>finish_reason</c>, or when <c>[DONE]</c> came; whatever else ends it cut it off.
/// </summary>
internal struct StreamTruth(StreamDialect dialect, int choices)
{
    // Choices that began, and that finished, by index; more than 64 at once are counted together.
    private ulong _began;
    private ulong _finished;
    private bool _ended;
    private TokenUsage _usage;

    public readonly TokenUsage Usage => _usage;

    /// <summary>Events that carried a piece of the answer after the last that told usage: what running usage does not know of yet.</summary>
    public int PiecesSinceUsage { get; private set; }

    /// <summary>Events that carried a piece of the answer.</summary>
    public int Pieces { get; private set; }

    public bool IsDone { get; private set; }

    /// <summary>The engine said itself that it failed.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Where in the last event the member <c>usage</c> stands, with the comma that goes with it.</summary>
    public BodyRange UsageMember { get; private set; }

    /// <summary>Nothing is missing if the stream ends here.</summary>
    public readonly bool IsWhole => !HasFailed && dialect switch
    {
        StreamDialect.Completions => IsDone || (_began != 0 && _began == _finished && System.Numerics.BitOperations.PopCount(_began) >= Math.Min(choices, 64)),
        StreamDialect.Responses => _ended,
        StreamDialect.Opaque => true,
    };

    /// <summary>One event, whole, with its line ends.</summary>
    public EventKind Read(ReadOnlySpan<byte> sse)
    {
        UsageMember = default;
        var data = DataOf(sse, out var at, out var severalLines);
        if (data.IsEmpty) return EventKind.Other;
        if (data.SequenceEqual("[DONE]"u8))
        {
            IsDone = true;
            return EventKind.Done;
        }

        // Legal, and no engine does it: the pieces are joined by a line end, which JSON takes as space.
        if (severalLines) data = Joined(sse, out at);
        try
        {
            return dialect switch
            {
                StreamDialect.Completions => ReadCompletion(data, at),
                StreamDialect.Responses => ReadTyped(data),
                StreamDialect.Opaque => Piece(),
            };
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The second: half a surrogate pair in a name.
            return EventKind.Malformed;
        }
    }

    /// <summary>The data of the event's only <c>data:</c> line, and where it stands.</summary>
    private static ReadOnlySpan<byte> DataOf(ReadOnlySpan<byte> sse, out int at, out bool several)
    {
        ReadOnlySpan<byte> found = default;
        (at, several) = (0, false);
        for (var line = 0; line < sse.Length;)
        {
            var length = sse[line..].IndexOfAny((byte)'\n', (byte)'\r');
            if (length < 0) length = sse.Length - line;
            var text = sse.Slice(line, length);
            if (text.StartsWith("data:"u8))
            {
                if (!found.IsEmpty) several = true;
                var skip = text.Length > 5 && text[5] == ' ' ? 6 : 5;
                found = text[skip..];
                at = line + skip;
            }

            line += length + 1;
        }

        return found;
    }

    private static ReadOnlySpan<byte> Joined(ReadOnlySpan<byte> sse, out int at)
    {
        at = -1;
        var joined = new MemoryStream();
        foreach (var range in sse.SplitAny((byte)'\n', (byte)'\r'))
        {
            var line = sse[range];
            if (!line.StartsWith("data:"u8)) continue;
            joined.Write(line[(line.Length > 5 && line[5] == ' ' ? 6 : 5)..]);
            joined.WriteByte((byte)'\n');
        }

        return joined.ToArray();
    }

    private EventKind Piece()
    {
        Pieces++;
        PiecesSinceUsage++;
        return EventKind.Content;
    }

    private EventKind ReadCompletion(ReadOnlySpan<byte> data, int at)
    {
        var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = 128 });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) return EventKind.Malformed;
        var (hasChoices, pieces, usage, previousEnd) = (false, 0, false, (int)reader.BytesConsumed);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var keyAt = (int)reader.TokenStartIndex;
            if (reader.ValueTextEquals("choices"u8))
            {
                reader.Read();
                hasChoices = true;
                pieces = ReadChoices(ref reader);
            }
            else if (reader.ValueTextEquals("usage"u8))
            {
                reader.Read();
                usage = reader.TokenType == JsonTokenType.StartObject;
                _usage.Read(ref reader);
                UsageMember = MemberRange(data, at, previousEnd, keyAt, (int)reader.BytesConsumed);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.Null) HasFailed = true;
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }

            previousEnd = (int)reader.BytesConsumed;
        }

        // Throws when something comes after the object.
        reader.Read();
        if (HasFailed) return EventKind.Error;
        if (usage && pieces == 0) return UsageTold(EventKind.UsageOnly);
        if (pieces > 0) return usage ? UsageTold(Piece()) : Piece();
        return hasChoices ? EventKind.Other : EventKind.Malformed;
    }

    private EventKind UsageTold(EventKind kind)
    {
        PiecesSinceUsage = 0;
        return kind;
    }

    /// <summary>The member with the comma before it, or, as the object's first, with the comma after it. Nothing when its place is not in one line.</summary>
    private static BodyRange MemberRange(ReadOnlySpan<byte> data, int at, int previousEnd, int keyAt, int end)
    {
        if (at < 0) return default;
        if (data[previousEnd..keyAt].Contains((byte)',')) return new BodyRange(at + previousEnd, end - previousEnd);
        var comma = data[end..].IndexOfAnyExcept(" \t"u8);
        return comma >= 0 && data[end + comma] == ',' ? new BodyRange(at + keyAt, end + comma + 1 - keyAt) : new BodyRange(at + keyAt, end - keyAt);
    }

    /// <returns>How many choices the event speaks of.</returns>
    private int ReadChoices(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return 0;
        }

        var count = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            count++;
            var (index, finished) = (0, false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("index"u8))
                {
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.Number) reader.TryGetInt32(out index);
                }
                else if (reader.ValueTextEquals("finish_reason"u8))
                {
                    reader.Read();
                    finished = reader.TokenType == JsonTokenType.String;
                }
                else
                {
                    reader.Skip();
                }
            }

            var bit = 1UL << (index & 63);
            _began |= bit;
            if (finished) _finished |= bit;
        }

        return count;
    }

    private EventKind ReadTyped(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = 128 });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) return EventKind.Malformed;
        var kind = EventKind.Other;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                kind = NoteType(ref reader);
            }
            else if (reader.ValueTextEquals("response"u8))
            {
                reader.Read();
                ReadResponse(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        reader.Read();
        return kind;
    }

    private EventKind NoteType(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String) return EventKind.Other;
        if (reader.ValueTextEquals("response.completed"u8) || reader.ValueTextEquals("response.incomplete"u8))
        {
            _ended = true;
            return EventKind.Other;
        }

        if (reader.ValueTextEquals("response.failed"u8) || reader.ValueTextEquals("error"u8))
        {
            HasFailed = true;
            return EventKind.Error;
        }

        return reader.ValueSpan.EndsWith(".delta"u8) ? Piece() : EventKind.Other;
    }

    private void ReadResponse(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return;
        var depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != depth + 1) continue;
            var isUsage = reader.ValueTextEquals("usage"u8);
            reader.Read();
            if (isUsage && reader.TokenType == JsonTokenType.StartObject) PiecesSinceUsage = 0;
            if (isUsage) _usage.Read(ref reader);
            else reader.Skip();
        }
    }
}
