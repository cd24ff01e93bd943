using System.Buffers;
using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

internal static class ArrayChecks
{
    public static bool Fits(SchemaCheck check, SchemaArrayRules rules, int token, EvaluatedSet? seen)
    {
        var count = check.Tape.Count(token);
        var fits = true;
        if (count < rules.MinCount) fits = check.Fail(token, MistakeCodes.TooFewItems, "the array has too few items", check.IsQuiet ? null : $"at least {rules.MinCount}", token);
        if (count > rules.MaxCount) fits = check.Fail(token, MistakeCodes.TooManyItems, "the array has too many items", check.IsQuiet ? null : $"at most {rules.MaxCount}", token);
        if (fits || !check.IsQuiet) fits &= FitsItems(check, rules, token, seen);
        if (rules.Contains is { } contains && (fits || !check.IsQuiet)) fits &= FitsContains(check, rules, contains, token, seen);
        if (rules.IsUnique && (fits || !check.IsQuiet)) fits &= IsUnique(check, token);
        return fits;
    }

    private static bool FitsItems(SchemaCheck check, SchemaArrayRules rules, int token, EvaluatedSet? seen)
    {
        if (rules.Prefix.Length == 0 && rules.Items is null) return true;
        var fits = true;
        var index = 0;
        for (var item = token + 1; item < check.Tape.Next(token); item = check.Tape.Next(item), index++)
        {
            var schema = index < rules.Prefix.Length ? rules.Prefix[index] : rules.Items;
            if (schema is null) break;
            seen?.Mark(index);
            fits &= check.Apply(schema, item, null);
            if (!fits && check.IsQuiet) return false;
        }

        return fits;
    }

    private static bool FitsContains(SchemaCheck check, SchemaArrayRules rules, SchemaNode contains, int token, EvaluatedSet? seen)
    {
        var (index, found) = (0, 0);
        for (var item = token + 1; item < check.Tape.Next(token); item = check.Tape.Next(item), index++)
        {
            if (!check.FitsQuietly(contains, item, null)) continue;
            found++;
            seen?.Mark(index);
        }

        if (found >= rules.MinContains && found <= rules.MaxContains) return true;
        if (check.IsQuiet) return false;
        return found < rules.MinContains
            ? check.Fail(token, MistakeCodes.Contains, $"{found} items are as some must be", $"at least {rules.MinContains}", token)
            : check.Fail(token, MistakeCodes.Contains, $"{found} items are as only some may be", $"at most {rules.MaxContains}", token);
    }

    /// <summary>Only items of the same hash are compared.</summary>
    private static bool IsUnique(SchemaCheck check, int token)
    {
        var tape = check.Tape;
        var count = tape.Count(token);
        var hashes = ArrayPool<int>.Shared.Rent(count);
        var items = ArrayPool<int>.Shared.Rent(count);
        var at = 0;
        for (var item = token + 1; item < tape.Next(token); item = tape.Next(item))
        {
            hashes[at] = JsonEquality.Hash(tape, item);
            items[at++] = item;
        }

        Array.Sort(hashes, items, 0, count);
        var fits = true;
        for (var i = 1; i < count && fits; i++)
        {
            for (var other = i - 1; other >= 0 && hashes[other] == hashes[i] && fits; other--)
            {
                if (JsonEquality.AreEqual(tape, items[i], tape, items[other]))
                    fits = check.Fail(Math.Max(items[i], items[other]), MistakeCodes.NotUnique, "this item stands twice", got: items[i]);
            }
        }

        ArrayPool<int>.Shared.Return(hashes);
        ArrayPool<int>.Shared.Return(items);
        return fits;
    }
}
