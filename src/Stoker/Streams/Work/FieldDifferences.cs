using System.Runtime.InteropServices;
using System.Text.Json;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Work;

/// <summary>The fields in which two documents differ, by path. Objects are compared field by field, everything else as a whole.</summary>
internal static class FieldDifferences
{
    public static void Add(JsonElement left, JsonElement right, string path, List<string> found)
    {
        if (left.ValueKind != JsonValueKind.Object || right.ValueKind != JsonValueKind.Object)
        {
            if (!Canonical(left).AsSpan().SequenceEqual(Canonical(right))) found.Add(path);
            return;
        }

        var names = left.EnumerateObject().Select(field => field.Name).Concat(right.EnumerateObject().Select(field => field.Name)).Distinct(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var (isLeft, isRight) = (left.TryGetProperty(name, out var ours), right.TryGetProperty(name, out var theirs));
            if (isLeft && isRight) Add(ours, theirs, $"{path}.{name}", found);
            else found.Add($"{path}.{name}");
        }
    }

    private static byte[] Canonical(JsonElement element) => CanonicalJson.Of(JsonMarshal.GetRawUtf8Value(element));
}
