using System.Reflection;

namespace Stoker.Gateway.Pages;

/// <summary>The page at <c>/</c>: reads <c>/openapi.json</c>, lists the paths and the models, and tries a request, streams included. One file, nothing from elsewhere.</summary>
internal static class ApiPage
{
    public static ReadOnlyMemory<byte> Html { get; } = Read();

    private static byte[] Read()
    {
        using var page = Assembly.GetExecutingAssembly().GetManifestResourceStream("Stoker.Gateway.Pages.api.html")
            ?? throw new InvalidOperationException("api.html is not in the program");
        var bytes = new byte[page.Length];
        page.ReadExactly(bytes);
        return bytes;
    }
}
