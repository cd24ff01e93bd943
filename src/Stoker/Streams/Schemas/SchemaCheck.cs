using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>Checks values against schemas. One per thread, used again for each value.</summary>
internal sealed class SchemaCheck
{
    private readonly Stack<EvaluatedSet> _spare = new();
    private MistakeList? _mistakes;
    private JsonSchema _schema = null!;
    private int _root;
    private int _quiet;

    public JsonTape Tape { get; private set; } = null!;

    /// <summary>What is being asked is only whether it fits: the first mistake is enough.</summary>
    public bool IsQuiet => _quiet > 0;

    /// <summary>Adds every mistake of the value at <paramref name="token"/>; paths begin at <paramref name="root"/>.</summary>
    public void Check(JsonSchema schema, JsonTape tape, int root, int token, MistakeList mistakes)
    {
        (_schema, Tape, _root, _mistakes, _quiet) = (schema, tape, root, mistakes, 0);
        Apply(schema.Root, token, null);
    }

    public bool Fits(JsonSchema schema, JsonTape tape, int token)
    {
        (_schema, Tape, _root, _mistakes, _quiet) = (schema, tape, token, null, 1);
        return Apply(schema.Root, token, null);
    }

    /// <summary>Whether the value fits; marks what was looked at in it.</summary>
    public bool Apply(SchemaNode schema, int token, EvaluatedSet? seen)
    {
        if (schema.Always is { } always) return always || Fail(token, MistakeCodes.Forbidden, "nothing may stand here", got: token);
        var kind = Tape.Kind(token);
        if (schema.Types != SchemaTypes.None && !IsOf(schema.Types, kind, token))
            return Fail(token, MistakeCodes.WrongType, "the type is another one", Names(schema.Types), token);
        var own = (kind == JsonKind.Object && schema.UnevaluatedProperties is not null) || (kind == JsonKind.Array && schema.UnevaluatedItems is not null) ? Rent(token) : seen;
        var fits = FitsValue(schema, kind, token);
        if (fits || !IsQuiet) fits &= FitsKind(schema, kind, token, own);
        if (fits || !IsQuiet) fits &= PlaceChecks.Fits(this, schema, token, own);
        if (!ReferenceEquals(own, seen))
        {
            if (fits || !IsQuiet) fits &= FitsRest(schema, kind, token, own!);
            if (fits) seen?.Merge(own!);
            Return(own!);
        }

        return fits;
    }

    public bool FitsQuietly(SchemaNode schema, int token, EvaluatedSet? seen)
    {
        _quiet++;
        var fits = Apply(schema, token, seen);
        _quiet--;
        return fits;
    }

    public bool Fail(int token, string code, string message, string? expected = null, int got = -1, string? under = null)
    {
        if (!IsQuiet) _mistakes?.Add(Tape, _root, token, code, message, expected, got < 0 ? null : JsonPath.Show(Tape, got), under);
        return false;
    }

    public bool Fail(int token, string code, string message, SchemaNumber expected) => IsQuiet ? false : Fail(token, code, message, expected.ToString(), token);

    /// <summary>An empty set for the value's items or properties.</summary>
    public EvaluatedSet Rent(int token)
    {
        var set = _spare.Count > 0 ? _spare.Pop() : new EvaluatedSet();
        set.Clear(Tape.Count(token));
        return set;
    }

    public void Return(EvaluatedSet set) => _spare.Push(set);

    public bool IsOf(SchemaTypes types, JsonKind kind, int token) => kind switch
    {
        JsonKind.Null => (types & SchemaTypes.Null) != 0,
        JsonKind.True or JsonKind.False => (types & SchemaTypes.Boolean) != 0,
        JsonKind.String or JsonKind.Name => (types & SchemaTypes.String) != 0,
        JsonKind.Array => (types & SchemaTypes.Array) != 0,
        JsonKind.Object => (types & SchemaTypes.Object) != 0,
        JsonKind.Number => (types & SchemaTypes.Number) != 0 || ((types & SchemaTypes.Integer) != 0 && NumberChecks.IsWhole(Tape.Content(token))),
    };

    private bool FitsValue(SchemaNode schema, JsonKind kind, int token)
    {
        if (schema.Const >= 0 && !AreEqual(schema.Const, kind, token))
            return Fail(token, MistakeCodes.NotTheValue, "only one value can stand here", Shown([schema.Const]), token);
        if (schema.Enum.Length == 0) return true;
        foreach (var value in schema.Enum)
        {
            if (AreEqual(value, kind, token)) return true;
        }

        return Fail(token, MistakeCodes.NotOneOf, "it is none of the values that can stand here", Shown(schema.Enum), token);
    }

    // A name is compared as a text is.
    private bool AreEqual(int value, JsonKind kind, int token) =>
        kind == JsonKind.Name ? _schema.Tape.Kind(value) == JsonKind.String && _schema.Tape.TextOf(value) == Tape.TextOf(token)
        : JsonEquality.AreEqual(_schema.Tape, value, Tape, token);

    private bool FitsKind(SchemaNode schema, JsonKind kind, int token, EvaluatedSet? seen) => kind switch
    {
        JsonKind.Number => schema.Numbers is not { } numbers || NumberChecks.Fits(this, numbers, token),
        JsonKind.String or JsonKind.Name => schema.Texts is not { } texts || TextChecks.Fits(this, texts, token),
        JsonKind.Object => schema.Objects is not { } objects || ObjectChecks.Fits(this, objects, token, seen),
        JsonKind.Array => schema.Arrays is not { } arrays || ArrayChecks.Fits(this, arrays, token, seen),
        JsonKind.Null or JsonKind.True or JsonKind.False => true,
    };

    private bool FitsRest(SchemaNode schema, JsonKind kind, int token, EvaluatedSet seen)
    {
        var (rest, isObject) = kind == JsonKind.Object ? (schema.UnevaluatedProperties!, true) : (schema.UnevaluatedItems!, false);
        var fits = true;
        var index = 0;
        for (var at = token + 1; at < Tape.Next(token); at = Tape.Next(isObject ? at + 1 : at), index++)
        {
            if (seen.Has(index)) continue;
            seen.Mark(index);
            if (rest.Always == false) fits &= Fail(at, MistakeCodes.UnknownField, isObject ? "this field is not known here" : "this item is one too many");
            else fits &= Apply(rest, isObject ? at + 1 : at, null);
        }

        return fits;
    }

    private string? Shown(int[] values)
    {
        if (IsQuiet) return null;
        var shown = string.Join(", ", values.Take(12).Select(value => JsonPath.Show(_schema.Tape, value)));
        return values.Length > 12 ? shown + ", …" : shown;
    }

    private string? Names(SchemaTypes types) => IsQuiet ? null : types.ToString().ToLowerInvariant().Replace(", ", " or ", StringComparison.Ordinal);
}
