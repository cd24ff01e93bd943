using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Stoker.Tests.Architecture;

/// <summary>How many lines each method spans, from the program's debug information. Local functions and lambdas count to their method.</summary>
internal static class MethodLengths
{
    public static IEnumerable<(string Method, string File, int Lines)> Read()
    {
        var path = References.Program.Location;
        using var image = new PEReader(File.OpenRead(path));
        using var symbolFile = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(path, ".pdb")));
        var metadata = image.GetMetadataReader();
        var symbols = symbolFile.GetMetadataReader();
        foreach (var handle in symbols.MethodDebugInformation)
        {
            var points = symbols.GetMethodDebugInformation(handle).GetSequencePoints().Where(point => !point.IsHidden).ToList();
            if (points.Count == 0) continue;
            var document = symbols.GetString(symbols.GetDocument(points[0].Document).Name);
            if (!document.Contains("/src/Stoker/", StringComparison.Ordinal) || document.Contains("/obj/", StringComparison.Ordinal)) continue;
            var method = metadata.GetMethodDefinition(MetadataTokens.MethodDefinitionHandle(MetadataTokens.GetRowNumber(handle.ToDefinitionHandle())));
            var type = metadata.GetTypeDefinition(method.GetDeclaringType());
            yield return (
                $"{metadata.GetString(type.Name)}.{metadata.GetString(method.Name)}",
                document[(document.IndexOf("/src/Stoker/", StringComparison.Ordinal) + "/src/Stoker/".Length)..],
                points.Max(point => point.EndLine) - points.Min(point => point.StartLine) + 1);
        }
    }
}
