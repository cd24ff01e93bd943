using System.IO.Compression;
using System.Security.Cryptography;

namespace Stoker.Streams.Archive;

/// <summary>Reads objects back and holds them to what their manifest says. Memory does not grow with them.</summary>
internal sealed class ObjectCheck(IArchiveStore store)
{
    private readonly byte[] _buffer = new byte[1 << 17];

    /// <returns>What is wrong with it.</returns>
    /// <exception cref="ArchiveUnavailableException">It cannot be read just now.</exception>
    public async Task<IReadOnlyList<string>> RunAsync(ArchiveObject expected, CancellationToken stop)
    {
        var stream = await store.ReadAsync(expected.Name, stop);
        if (stream is null) return ["it is not there"];
        using var summed = new SummedStream(stream);
        var (lines, bytes, sum, broken) = await ReadAsync(summed, stop);
        var faults = new List<string>();
        if (summed.Written != expected.Bytes) faults.Add($"it has {summed.Written} bytes instead of {expected.Bytes}");
        if (Convert.ToHexStringLower(summed.Sum()) != expected.Sha256) faults.Add("its SHA-256 is another one");
        if (broken is not null)
        {
            faults.Add($"it cannot be decompressed: {broken}");
        }
        else if (lines != expected.Events || bytes != expected.ContentBytes || sum != expected.ContentSha256)
        {
            faults.Add($"it has {lines} lines and {bytes} bytes instead of {expected.Events} and {expected.ContentBytes}, or others");
        }

        return faults;
    }

    /// <summary>To its last byte, also where it cannot be decompressed.</summary>
    private async Task<(long Lines, long Bytes, string Sum, string? Broken)> ReadAsync(SummedStream summed, CancellationToken stop)
    {
        var (lines, bytes, broken) = (0L, 0L, (string?)null);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            await using var content = new GZipStream(summed, CompressionMode.Decompress, leaveOpen: true);
            while (await content.ReadAsync(_buffer, stop) is > 0 and var count)
            {
                sum.AppendData(_buffer, 0, count);
                lines += _buffer.AsSpan(0, count).Count((byte)'\n');
                bytes += count;
            }
        }
        catch (InvalidDataException damaged)
        {
            broken = damaged.Message;
        }

        while (await summed.ReadAsync(_buffer, stop) > 0)
        {
        }

        return (lines, bytes, Convert.ToHexStringLower(sum.GetHashAndReset()), broken);
    }
}
