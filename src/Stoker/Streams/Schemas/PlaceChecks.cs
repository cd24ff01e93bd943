using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>Schemas about the same value: all, any, one, none of them, and one if another.</summary>
internal static class PlaceChecks
{
    public static bool Fits(SchemaCheck check, SchemaNode schema, int token, EvaluatedSet? seen)
    {
        var fits = true;
        foreach (var each in schema.All)
        {
            fits &= check.Apply(each, token, seen);
            if (!fits && check.IsQuiet) return false;
        }

        if (schema.Not is { } not && check.FitsQuietly(not, token, null)) fits = check.Fail(token, MistakeCodes.Forbidden, "this is just what may not stand here", got: token);
        if (schema.If is { } condition) fits &= FitsBranch(check, schema, condition, token, seen);
        if (schema.Any.Length > 0 && (fits || !check.IsQuiet)) fits &= FitsAny(check, schema.Any, token, seen);
        if (schema.One.Length > 0 && (fits || !check.IsQuiet)) fits &= FitsOne(check, schema.One, token, seen);
        return fits;
    }

    private static bool FitsBranch(SchemaCheck check, SchemaNode schema, SchemaNode condition, int token, EvaluatedSet? seen)
    {
        var branch = Try(check, condition, token, seen) ? schema.Then : schema.Else;
        return branch is null || check.Apply(branch, token, seen);
    }

    private static bool FitsAny(SchemaCheck check, SchemaNode[] choices, int token, EvaluatedSet? seen)
    {
        var fits = false;
        foreach (var choice in choices)
        {
            fits |= Try(check, choice, token, seen);

            // What a second choice has looked at counts too.
            if (fits && seen is null) return true;
        }

        return fits || Tell(check, choices, token, MistakeCodes.NoMatch, $"it is none of the {choices.Length} forms that can stand here");
    }

    private static bool FitsOne(SchemaCheck check, SchemaNode[] choices, int token, EvaluatedSet? seen)
    {
        var count = 0;
        foreach (var choice in choices)
        {
            if (Try(check, choice, token, seen)) count++;
        }

        return count switch
        {
            1 => true,
            0 => Tell(check, choices, token, MistakeCodes.NoMatch, $"it is none of the {choices.Length} forms, one of which must stand here"),
            _ => check.Fail(token, MistakeCodes.SeveralMatch, $"it is {count} of the {choices.Length} forms, only one of which may stand here", got: token),
        };
    }

    /// <summary>A choice that does not fit has looked at nothing.</summary>
    private static bool Try(SchemaCheck check, SchemaNode choice, int token, EvaluatedSet? seen)
    {
        if (seen is null) return check.FitsQuietly(choice, token, null);
        var own = check.Rent(token);
        var fits = check.FitsQuietly(choice, token, own);
        if (fits) seen.Merge(own);
        check.Return(own);
        return fits;
    }

    /// <summary>Where only one choice has the value's type, its mistakes say more than that nothing fits.</summary>
    private static bool Tell(SchemaCheck check, SchemaNode[] choices, int token, string code, string message)
    {
        if (check.IsQuiet) return false;
        var kind = check.Tape.Kind(token);
        var likely = choices.Where(choice => choice.Always is null && (choice.Types == SchemaTypes.None || check.IsOf(choice.Types, kind, token))).ToList();
        return likely.Count == 1 ? check.Apply(likely[0], token, null) : check.Fail(token, code, message, got: token);
    }
}
