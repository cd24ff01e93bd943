using System.Text.Json;

namespace Stoker.Streams.Archive;

/// <summary>Manifests out of an archive.</summary>
internal static class ManifestReading
{
    /// <summary>Beyond which it is none of ours; it is read as a whole.</summary>
    private const int MostBytes = 128 << 20;

    /// <summary>Null: it is not there.</summary>
    /// <exception cref="ArchiveUnavailableException"/>
    /// <exception cref="ArchiveDamagedException">It cannot be understood.</exception>
    public static async Task<ArchiveManifest?> ReadAsync(IArchiveStore store, string name, CancellationToken cancellation)
    {
        await using var stream = await store.ReadAsync(name, cancellation);
        if (stream is null) return null;
        using var content = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (await stream.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            content.Write(buffer, 0, count);
            if (content.Length > MostBytes) throw new ArchiveDamagedException($"the manifest `{name}` is larger than any can be");
        }

        try
        {
            return ArchiveManifest.FromJson(content.GetBuffer().AsSpan(0, (int)content.Length));
        }
        catch (JsonException broken)
        {
            throw new ArchiveDamagedException($"the manifest `{name}` cannot be read: {broken.Message}", broken);
        }
    }
}
