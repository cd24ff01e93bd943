using Stoker.Platform;
using Stoker.Platform.Disks;

namespace Stoker.Tests.Streams.Log.Shared;

internal sealed class SimulatedFile(SimulatedDisk disk, Inode inode, string path) : IDiskFile
{
    public long Length
    {
        get
        {
            lock (disk.Access) return inode.Current.Length;
        }
    }

    public int Read(long position, Span<byte> target)
    {
        lock (disk.Access)
        {
            var error = disk.Begin(DiskCall.Read, path, out var isShort);
            if (error != 0) return -error;
            var count = (int)Math.Clamp(inode.Current.Length - position, 0, target.Length);
            if (isShort) count = Math.Min(count, 1);
            inode.Current.AsSpan((int)Math.Min(position, inode.Current.Length), count).CopyTo(target);
            return count;
        }
    }

    public int Write(long position, ReadOnlySpan<byte> bytes)
    {
        lock (disk.Access)
        {
            var error = disk.Begin(DiskCall.Write, path, out var isShort);
            // A full disk is often noticed in the middle.
            if (error == Errno.NoSpace && bytes.Length > 512) inode.Write(position, bytes[..(bytes.Length * 3 / 4)]);
            if (error != 0) return -error;
            if (isShort) bytes = bytes[..Math.Max(1, bytes.Length / 3)];
            if (!disk.HasRoomFor(position + bytes.Length - inode.Current.Length)) return -Errno.NoSpace;
            inode.Write(position, bytes);
            return bytes.Length;
        }
    }

    public int Sync()
    {
        lock (disk.Access)
        {
            var error = disk.Begin(DiskCall.Sync, path);
            // What the kernel could not write it takes for clean: it can be read, but will never be on the disk.
            if (error != 0 && !disk.IsDark) inode.Forget();
            if (error == 0 && disk.ForgetsSync?.Invoke(DiskCall.Sync, path) != true) inode.Sync();
            return error;
        }
    }

    public int Allocate(long length) => Resize(DiskCall.Allocate, Math.Max(length, Length));

    public int SetLength(long length) => Resize(DiskCall.SetLength, length);

    public void Dispose()
    {
    }

    private int Resize(DiskCall call, long length)
    {
        lock (disk.Access)
        {
            var error = disk.Begin(call, path);
            if (error != 0) return error;
            if (!disk.HasRoomFor(length - inode.Current.Length)) return Errno.NoSpace;
            inode.SetLength((int)length);
            return 0;
        }
    }
}

/// <summary>A file's content: as it is seen, as it is on the disk, and what leads from one to the other.</summary>
internal sealed class Inode
{
    private readonly List<Change> _changes = [];

    public byte[] Current { get; set; } = [];

    public byte[] Durable { get; set; } = [];

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        if (position + bytes.Length > Current.Length) SetLength((int)position + bytes.Length);
        bytes.CopyTo(Current.AsSpan((int)position));
        _changes.Add(new Change((int)position, bytes.ToArray()));
    }

    public void SetLength(int length)
    {
        Current = Resized(Current, length);
        _changes.Add(new Change(length, null));
    }

    /// <summary>What was written since the last sync gets to the disk; not what an earlier one that failed has forgotten.</summary>
    public void Sync()
    {
        foreach (var change in _changes)
        {
            if (change.Bytes is null) Durable = Resized(Durable, change.At);
            else Put(change.At, change.Bytes);
        }

        Forget();
    }

    private void Put(int at, byte[] bytes)
    {
        if (Durable.Length < at + bytes.Length) Durable = Resized(Durable, at + bytes.Length);
        bytes.CopyTo(Durable.AsSpan(at));
    }

    public void Forget() => _changes.Clear();

    public Inode AfterPowerCut(Random random, int sector, double part)
    {
        var lengths = _changes.Where(change => change.Bytes is null).Select(change => change.At).ToList();
        var length = lengths.Count > 0 && random.NextDouble() < part ? lengths[random.Next(lengths.Count)] : Durable.Length;
        var content = Resized(Durable, length);
        foreach (var (position, bytes) in _changes)
        {
            if (bytes is null) continue;
            for (var at = position; at < position + bytes.Length;)
            {
                var count = Math.Min(sector - (at % sector), position + bytes.Length - at);
                if (at + count <= length && random.NextDouble() < part) bytes.AsSpan(at - position, count).CopyTo(content.AsSpan(at));
                at += count;
            }
        }

        return new Inode { Current = content, Durable = [.. content] };
    }

    /// <summary>With what is not synced, as it is.</summary>
    public Inode Copy()
    {
        var copy = new Inode { Current = [.. Current], Durable = [.. Durable] };
        copy._changes.AddRange(_changes);
        return copy;
    }

    private static byte[] Resized(byte[] content, int length)
    {
        var resized = new byte[length];
        content.AsSpan(0, Math.Min(length, content.Length)).CopyTo(resized);
        return resized;
    }

    /// <param name="Bytes">Null: it became so long.</param>
    private sealed record Change(int At, byte[]? Bytes);
}

/// <summary>A directory: its names as they are seen, and as they are on the disk.</summary>
internal sealed class Folder
{
    private Dictionary<string, object> _durable = [];

    public Dictionary<string, object> Current { get; } = [];

    public void Sync() => _durable = new Dictionary<string, object>(Current);

    public void Put(string name, object entry, bool durable)
    {
        Current[name] = entry;
        if (durable) _durable[name] = entry;
    }

    public void Remove(string name)
    {
        Current.Remove(name);
        _durable.Remove(name);
    }

    public Folder AfterPowerCut(Random random, int sector, double part)
    {
        var after = new Folder();
        foreach (var name in Current.Keys.Union(_durable.Keys).Order(StringComparer.Ordinal))
        {
            var (now, before) = (Current.GetValueOrDefault(name), _durable.GetValueOrDefault(name));
            var kept = now == before || random.NextDouble() < part ? now : before;
            if (kept is Folder folder) after.Put(name, folder.AfterPowerCut(random, sector, part), durable: true);
            else if (kept is Inode file) after.Put(name, file.AfterPowerCut(random, sector, part), durable: true);
        }

        return after;
    }

    /// <summary>With what is not synced, as it is; what has two names still has.</summary>
    public Folder Copy(Dictionary<object, object>? copies = null)
    {
        copies ??= new Dictionary<object, object>(ReferenceEqualityComparer.Instance);
        var copy = new Folder();
        foreach (var (name, entry) in Current) copy.Current[name] = CopyOf(entry, copies);
        foreach (var (name, entry) in _durable) copy._durable[name] = CopyOf(entry, copies);
        return copy;
    }

    private static object CopyOf(object entry, Dictionary<object, object> copies)
    {
        if (!copies.TryGetValue(entry, out var copy)) copies[entry] = copy = entry is Folder folder ? folder.Copy(copies) : ((Inode)entry).Copy();
        return copy;
    }
}
