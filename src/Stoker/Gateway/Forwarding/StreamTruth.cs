using System.Buffers.Text;
using Stoker.Json;

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
    private const int Deepest = 127;

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
        return dialect switch
        {
            StreamDialect.Completions => ReadCompletion(data, at),
            StreamDialect.Responses => ReadTyped(data),
            StreamDialect.Opaque => Piece(),
        };
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
        var cursor = new JsonCursor(data, Deepest);
        if (!cursor.Take((byte)'{')) return EventKind.Malformed;
        var (hasChoices, pieces, usage, members, previousEnd) = (false, 0, false, 0, cursor.At);
        while (cursor.NextMember(ref members, out var name))
        {
            if (name.SequenceEqual("choices"u8))
            {
                hasChoices = true;
                pieces = ReadChoices(ref cursor);
            }
            else if (name.SequenceEqual("usage"u8))
            {
                var value = cursor.TakeValue();
                usage = value.StartsWith("{"u8);
                _usage.Read(value);
                UsageMember = MemberRange(data, at, previousEnd, cursor.At);
            }
            else if (name.SequenceEqual("error"u8))
            {
                HasFailed |= !cursor.TakeValue().SequenceEqual("null"u8);
            }
            else
            {
                cursor.TakeValue();
            }

            previousEnd = cursor.At;
        }

        if (cursor.IsBroken || !cursor.IsAtEnd) return EventKind.Malformed;
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
    private static BodyRange MemberRange(ReadOnlySpan<byte> data, int at, int previousEnd, int end)
    {
        if (at < 0) return default;
        var name = previousEnd + data[previousEnd..].IndexOf((byte)'"');
        if (data[previousEnd..name].Contains((byte)',')) return new BodyRange(at + previousEnd, end - previousEnd);
        var comma = data[end..].IndexOfAnyExcept(" \t"u8);
        return comma >= 0 && data[end + comma] == ',' ? new BodyRange(at + name, end + comma + 1 - name) : new BodyRange(at + name, end - name);
    }

    /// <returns>How many choices the event speaks of.</returns>
    private int ReadChoices(ref JsonCursor cursor)
    {
        if (!cursor.Take((byte)'['))
        {
            cursor.TakeValue();
            return 0;
        }

        var (count, elements) = (0, 0);
        while (cursor.NextElement(ref elements))
        {
            if (!cursor.Take((byte)'{'))
            {
                cursor.TakeValue();
                continue;
            }

            count++;
            var bit = ReadChoice(ref cursor, out var finished);
            _began |= bit;
            if (finished) _finished |= bit;
        }

        return count;
    }

    /// <returns>The bit of its index.</returns>
    private static ulong ReadChoice(ref JsonCursor cursor, out bool finished)
    {
        var (index, members) = (0, 0);
        finished = false;
        while (cursor.NextMember(ref members, out var name))
        {
            var value = cursor.TakeValue();
            if (name.SequenceEqual("index"u8)) index = Utf8Parser.TryParse(value, out int told, out _) ? told : 0;
            else if (name.SequenceEqual("finish_reason"u8)) finished = value.StartsWith("\""u8);
        }

        return 1UL << (index & 63);
    }

    private EventKind ReadTyped(ReadOnlySpan<byte> data)
    {
        var cursor = new JsonCursor(data, Deepest);
        if (!cursor.Take((byte)'{')) return EventKind.Malformed;
        var (kind, members) = (EventKind.Other, 0);
        while (cursor.NextMember(ref members, out var name))
        {
            if (name.SequenceEqual("type"u8)) kind = NoteType(cursor.TakeValue());
            else if (name.SequenceEqual("response"u8)) ReadResponse(ref cursor);
            else cursor.TakeValue();
        }

        return cursor.IsBroken || !cursor.IsAtEnd ? EventKind.Malformed : kind;
    }

    /// <param name="type">As it is written.</param>
    private EventKind NoteType(ReadOnlySpan<byte> type)
    {
        if (type.SequenceEqual("\"response.completed\""u8) || type.SequenceEqual("\"response.incomplete\""u8))
        {
            _ended = true;
            return EventKind.Other;
        }

        if (type.SequenceEqual("\"response.failed\""u8) || type.SequenceEqual("\"error\""u8))
        {
            HasFailed = true;
            return EventKind.Error;
        }

        return type.EndsWith(".delta\""u8) ? Piece() : EventKind.Other;
    }

    private void ReadResponse(ref JsonCursor cursor)
    {
        if (!cursor.Take((byte)'{'))
        {
            cursor.TakeValue();
            return;
        }

        var members = 0;
        while (cursor.NextMember(ref members, out var name))
        {
            var value = cursor.TakeValue();
            if (!name.SequenceEqual("usage"u8)) continue;
            if (value.StartsWith("{"u8)) PiecesSinceUsage = 0;
            _usage.Read(value);
        }
    }
}
