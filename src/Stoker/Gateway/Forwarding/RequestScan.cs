using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Stoker.Json;

namespace Stoker.Gateway.Forwarding;

/// <summary>A place in a body; <c>Length</c> 0: not there.</summary>
internal readonly record struct BodyRange(int At, int Length)
{
    public bool IsThere => Length > 0;

    public int End => At + Length;
}

/// <summary>Why a body cannot be routed, as a closed set; each has its own message.</summary>
internal enum ScanFault
{
    None,
    NotUtf8,
    NotJson,
    NotAnObject,
    TooDeep,
    Duplicate,
    NoModel,
    WrongType,
}

/// <summary>
/// What the gateway must know of a JSON request, found in one pass over the body without building anything: where the model's
/// name and the stream options stand (so that only those bytes change), and the numbers that limits need.
/// </summary>
/// <remarks>
/// A key that decides something may stand only once: what reads the first of two and what reads the last would otherwise see two
/// different requests, and the one that was checked would not be the one that was served.
/// </remarks>
internal struct RequestScan
{
    private const int MaxDepth = 128;

    private bool _isForm;

    /// <summary>The model's name with its quotation marks.</summary>
    public BodyRange Model { get; private set; }

    public bool Stream { get; private set; }

    /// <summary>The value of <c>stream_options</c>, an object or null.</summary>
    public BodyRange StreamOptions { get; private set; }

    /// <summary>The object is empty, or null.</summary>
    public bool HasNoStreamOptions { get; private set; }

    public bool AsksForUsage { get; private set; }

    public bool AsksForContinuousUsage { get; private set; }

    /// <summary>The values of the two usage options, where they are written out.</summary>
    public BodyRange UsageOption { get; private set; }

    public BodyRange ContinuousOption { get; private set; }

    /// <summary><c>messages</c>, <c>prompt</c> or <c>input</c>: what its size and its prefix are taken from.</summary>
    public BodyRange Prompt { get; private set; }

    /// <summary>The smallest of the bounds that the request names; 0: none.</summary>
    public int MaxTokens { get; private set; }

    /// <summary>Answers asked for at once; 1 unless said.</summary>
    public int Choices { get; private set; }

    /// <summary>Right after the opening brace, where members can be put in.</summary>
    public int Inside { get; private set; }

    /// <summary>The object has no members.</summary>
    public bool IsEmpty { get; private set; }

    /// <summary>Where the fault was found, in bytes, and the key it is about, for the message.</summary>
    public long FaultAt { get; private set; }

    public string? FaultKey { get; private set; }

    public ScanFault Read(ReadOnlySpan<byte> body)
    {
        this = default;
        Choices = 1;
        try
        {
            var fault = ReadObject(body, out var isAscii);
            return (fault == ScanFault.None && isAscii) || Utf8.IsValid(body) ? fault : ScanFault.NotUtf8;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, as in "\ud800": JSON by its grammar, and no text.
            return ScanFault.NotUtf8;
        }
    }

    /// <summary>A form's: its name is not quoted, and its prompt is not text.</summary>
    public static RequestScan OfForm(BodyRange model) => new() { Model = model, Choices = 1, _isForm = true };

    /// <summary>The bytes of the model's name as they stand in the body, without quotation marks.</summary>
    public readonly ReadOnlySpan<byte> NameBytes(ReadOnlySpan<byte> body) => _isForm ? body.Slice(Model.At, Model.Length) : body.Slice(Model.At + 1, Model.Length - 2);

    /// <summary>The model's name as text.</summary>
    public readonly string ModelText(ReadOnlySpan<byte> body)
    {
        var raw = NameBytes(body);
        if (_isForm) return Encoding.UTF8.GetString(raw);
        return raw.Contains((byte)'\\') ? Token(body.Slice(Model.At, Model.Length)).GetString()! : Encoding.UTF8.GetString(raw);
    }

    /// <param name="isAscii">False: whether the body is UTF-8 must still be asked.</param>
    private ScanFault ReadObject(ReadOnlySpan<byte> body, out bool isAscii)
    {
        // The object itself is the first level.
        var cursor = new JsonCursor(body, MaxDepth - 1);
        var fault = ReadObject(body, ref cursor);
        isAscii = cursor.IsAscii;
        return fault;
    }

    private ScanFault ReadObject(ReadOnlySpan<byte> body, ref JsonCursor cursor)
    {
        if (!cursor.Take((byte)'{')) return cursor.SkipValue() ? ScanFault.NotAnObject : Broken(cursor);
        Inside = body.IndexOf((byte)'{') + 1;
        IsEmpty = cursor.Take((byte)'}');
        if (!IsEmpty && ReadMembers(body, ref cursor) is var fault and not ScanFault.None) return fault;
        if (!cursor.IsAtEnd) return Broken(cursor);
        if (Model.IsThere && body.Slice(Model.At, Model.Length).Contains((byte)'\\')) ModelText(body);
        return Model.IsThere ? ScanFault.None : ScanFault.NoModel;
    }

    private ScanFault ReadMembers(ReadOnlySpan<byte> body, ref JsonCursor cursor)
    {
        var seen = 0;
        do
        {
            var keyAt = cursor.At;
            if (!cursor.SkipName(out var name, out var isEscaped)) return Broken(cursor);
            var key = isEscaped ? KeyOfEscaped(Token(body[keyAt..])) : KeyOf(body[name]);
            if (key != Key.Other && (seen & (1 << (int)key)) != 0)
            {
                (FaultAt, FaultKey) = (keyAt, Token(body[keyAt..]).GetString());
                return ScanFault.Duplicate;
            }

            seen |= 1 << (int)key;
            var at = cursor.At;
            if (!cursor.SkipValue()) return Broken(cursor);
            if (key != Key.Other && !Take(key, body, new BodyRange(at, cursor.At - at)))
            {
                (FaultAt, FaultKey) = (keyAt, NameOf(key));
                return ScanFault.WrongType;
            }

            cursor.SkipSpace();
        }
        while (cursor.Take((byte)','));
        return cursor.Take((byte)'}') ? ScanFault.None : Broken(cursor);
    }

    private ScanFault Broken(in JsonCursor cursor)
    {
        FaultAt = cursor.At;
        return cursor.IsTooDeep ? ScanFault.TooDeep : ScanFault.NotJson;
    }

    /// <summary>The first token of what is known to be JSON.</summary>
    private static Utf8JsonReader Token(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth, AllowMultipleValues = true });
        reader.Read();
        return reader;
    }

    private static Key KeyOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        1 when name[0] == 'n' => Key.Choices,
        5 when name.SequenceEqual("model"u8) => Key.Model,
        5 when name.SequenceEqual("input"u8) => Key.Prompt,
        6 when name.SequenceEqual("stream"u8) => Key.Stream,
        6 when name.SequenceEqual("prompt"u8) => Key.Prompt,
        8 when name.SequenceEqual("messages"u8) => Key.Prompt,
        10 when name.SequenceEqual("max_tokens"u8) => Key.MaxTokens,
        14 when name.SequenceEqual("stream_options"u8) => Key.StreamOptions,
        17 when name.SequenceEqual("max_output_tokens"u8) => Key.MaxOutputTokens,
        21 when name.SequenceEqual("max_completion_tokens"u8) => Key.MaxCompletionTokens,
        _ => Key.Other,
    };

    /// <summary><c>"\u006dodel"</c> is <c>model</c> too, and must not slip by.</summary>
    private static Key KeyOfEscaped(Utf8JsonReader name)
    {
        for (var key = Key.Model; key <= Key.Choices; key++)
        {
            if (name.ValueTextEquals(NameOf(key))) return key;
        }

        return name.ValueTextEquals("prompt"u8) || name.ValueTextEquals("input"u8) ? Key.Prompt : Key.Other;
    }

    private static string NameOf(Key key) => key switch
    {
        Key.Model => "model",
        Key.Prompt => "messages",
        Key.Stream => "stream",
        Key.StreamOptions => "stream_options",
        Key.MaxTokens => "max_tokens",
        Key.MaxCompletionTokens => "max_completion_tokens",
        Key.MaxOutputTokens => "max_output_tokens",
        Key.Choices => "n",
        Key.Other => "",
    };

    /// <returns>False when the value cannot be what the key needs.</returns>
    private bool Take(Key key, ReadOnlySpan<byte> body, BodyRange value)
    {
        var text = body.Slice(value.At, value.Length);
        switch (key)
        {
            case Key.Model:
                Model = value;
                return text[0] == '"' && text.Length > 2;
            case Key.Stream:
                Stream = text[0] == 't';
                return text[0] is (byte)'t' or (byte)'f' or (byte)'n';
            case Key.StreamOptions:
                return TakeStreamOptions(body, value);
            case Key.MaxTokens or Key.MaxCompletionTokens or Key.MaxOutputTokens:
                return IsNull(text) || TakeBound(text);
            case Key.Choices:
                if (IsNull(text)) return true;
                if (!TryWhole(text, out var choices) || choices is not (> 0 and <= 1024)) return false;
                Choices = choices;
                return true;
            case Key.Prompt:
                Prompt = value;
                return true;
            default:
                return true;
        }
    }

    private static bool IsNull(ReadOnlySpan<byte> value) => value[0] == 'n';

    private static bool TryWhole(ReadOnlySpan<byte> value, out int number) => Utf8Parser.TryParse(value, out number, out var read) && read == value.Length;

    private bool TakeBound(ReadOnlySpan<byte> value)
    {
        if (!TryWhole(value, out var bound) || bound < 0) return false;
        MaxTokens = MaxTokens == 0 ? bound : Math.Min(MaxTokens, bound);
        return true;
    }

    private bool TakeStreamOptions(ReadOnlySpan<byte> body, BodyRange value)
    {
        StreamOptions = value;
        HasNoStreamOptions = true;
        var reader = Token(body.Slice(value.At, value.Length));
        if (reader.TokenType is not (JsonTokenType.Null or JsonTokenType.StartObject)) return false;
        while (reader.TokenType != JsonTokenType.Null && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            HasNoStreamOptions = false;
            var usage = reader.ValueTextEquals("include_usage"u8);
            var continuous = !usage && reader.ValueTextEquals("continuous_usage_stats"u8);
            reader.Read();
            var at = (int)reader.TokenStartIndex;
            var isTrue = reader.TokenType == JsonTokenType.True;
            reader.Skip();
            var range = new BodyRange(value.At + at, (int)reader.BytesConsumed - at);
            if ((usage && UsageOption.IsThere) || (continuous && ContinuousOption.IsThere)) return false;
            if (usage) (AsksForUsage, UsageOption) = (isTrue, range);
            if (continuous) (AsksForContinuousUsage, ContinuousOption) = (isTrue, range);
        }

        return true;
    }

    private enum Key
    {
        Other,
        Model,
        Prompt,
        Stream,
        StreamOptions,
        MaxTokens,
        MaxCompletionTokens,
        MaxOutputTokens,
        Choices,
    }
}
