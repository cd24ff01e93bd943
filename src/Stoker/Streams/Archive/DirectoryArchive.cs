using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Stoker.Platform;
using Stoker.Platform.Disks;

namespace Stoker.Streams.Archive;

/// <summary>An archive in a directory: a temporary file, synced, named, and the names above it synced, so that an object is there as a whole or not at all.</summary>
internal sealed class DirectoryArchive(IDisk disk, string root) : IArchiveStore
{
    private const string Temporary = ".tmp";

    private const int BufferSize = 1 << 17;

    public Task PutAsync(string name, Stream content, ReadOnlyMemory<byte> sha256, CancellationToken cancellation)
    {
        try
        {
            Put(name, content, sha256.Span, cancellation);
            return Task.CompletedTask;
        }
        catch (IOException failed) when (failed is not ArchiveUnavailableException)
        {
            return Task.FromException(new ArchiveUnavailableException($"the archive in `{root}` cannot be written: {failed.Message}", failed));
        }
    }

    public Task<Stream?> ReadAsync(string name, CancellationToken cancellation)
    {
        var path = Path.Combine(root, name);
        var file = disk.Open(path, DiskAccess.Read, out var error);
        if (file is not null) return Task.FromResult<Stream?>(new DiskStream(file, path));
        return error == Errno.NoEntry ? Task.FromResult<Stream?>(null) : Task.FromException<Stream?>(new ArchiveUnavailableException($"cannot open `{path}`: {Errno.Text(error)}"));
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var waiting = new Stack<string>([prefix.TrimEnd('/')]);
        while (waiting.TryPop(out var folder))
        {
            cancellation.ThrowIfCancellationRequested();
            // Only folders have names without a dot here.
            foreach (var name in disk.List(Path.Combine(root, folder)) ?? [])
            {
                if (name.EndsWith(Temporary, StringComparison.Ordinal)) continue;
                if (name.Contains('.', StringComparison.Ordinal)) yield return $"{folder}/{name}";
                else waiting.Push($"{folder}/{name}");
            }
        }

        await Task.CompletedTask;
    }

    public void Dispose()
    {
    }

    private void Put(string name, Stream content, ReadOnlySpan<byte> sha256, CancellationToken cancellation)
    {
        var path = Path.Combine(root, name);
        var folder = Path.GetDirectoryName(path)!;
        if (disk.List(folder) is null) MakeFolders(name);
        var temporary = path + Temporary;
        using (var file = disk.OpenOrThrow(temporary, DiskAccess.Create))
        {
            Copy(content, file, temporary, sha256, cancellation);
            DiskCalls.Check(file.Sync(), "sync", temporary);
        }

        DiskCalls.Check(disk.Rename(temporary, path), "name", path);
        DiskCalls.Check(disk.SyncDirectory(folder), "sync the directory of", path);
    }

    /// <summary>A new folder is durable when the one above it is synced.</summary>
    private void MakeFolders(string name)
    {
        var folders = new List<string> { root };
        foreach (var part in name.Split('/').SkipLast(1)) folders.Add(Path.Combine(folders[^1], part));
        var above = Path.GetDirectoryName(Path.GetFullPath(root));
        DiskCalls.Check(disk.CreateDirectory(folders[^1]), "make the directory", folders[^1]);
        foreach (var folder in folders.SkipLast(1).Prepend(above).OfType<string>()) DiskCalls.Check(disk.SyncDirectory(folder), "sync the directory", folder);
    }

    private static void Copy(Stream content, IDiskFile file, string path, ReadOnlySpan<byte> sha256, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            content.Position = 0;
            for (var position = 0L; content.Read(buffer) is > 0 and var count; position += count)
            {
                cancellation.ThrowIfCancellationRequested();
                DiskCalls.Check(file.WriteAll(position, buffer.AsSpan(0, count)), "write", path);
                sum.AppendData(buffer, 0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (!sum.GetHashAndReset().AsSpan().SequenceEqual(sha256)) throw new IOException($"what was to be written to `{path}` is not what was made: the spool has changed");
    }
}
