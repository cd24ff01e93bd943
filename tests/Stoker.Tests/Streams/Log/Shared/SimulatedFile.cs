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
            if (error == Errno.NoSpace && bytes.Length > 512) inode.Write(position, bytes[..512]);
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
    private readonly List<(long Position, byte[] Bytes)> _writes = [];
    private readonly List<int> _lengths = [];

    public byte[] Current { get; set; } = [];

    public byte[] Durable { get; set; } = [];

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        if (position + bytes.Length > Current.Length) SetLength((int)position + bytes.Length);
        bytes.CopyTo(Current.AsSpan((int)position));
        _writes.Add((position, bytes.ToArray()));
    }

    public void SetLength(int length)
    {
        var content = Current;
        Array.Resize(ref content, length);
        Current = content;
        _lengths.Add(length);
    }

    public void Sync()
    {
        Durable = [.. Current];
        Forget();
    }

    public void Forget()
    {
        _writes.Clear();
        _lengths.Clear();
    }

    public Inode AfterPowerCut(Random random, int sector, double part)
    {
        var length = _lengths.Count > 0 && random.NextDouble() < part ? _lengths[random.Next(_lengths.Count)] : Durable.Length;
        var content = new byte[length];
        Durable.AsSpan(0, Math.Min(length, Durable.Length)).CopyTo(content);
        foreach (var (position, bytes) in _writes)
        {
            for (var at = position; at < position + bytes.Length;)
            {
                var count = Math.Min(sector - (at % sector), position + bytes.Length - at);
                if (at + count <= length && random.NextDouble() < part) bytes.AsSpan((int)(at - position), (int)count).CopyTo(content.AsSpan((int)at));
                at += count;
            }
        }

        return new Inode { Current = content, Durable = [.. content] };
    }

    public Inode Copy() => new() { Current = [.. Current], Durable = [.. Current] };
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

    public Folder Copy()
    {
        var copy = new Folder();
        foreach (var (name, entry) in Current) copy.Put(name, entry is Folder folder ? folder.Copy() : ((Inode)entry).Copy(), durable: true);
        return copy;
    }
}
