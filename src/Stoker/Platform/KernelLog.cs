using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>The kernel's log as it is now, from <c>/dev/kmsg</c>; empty where it may not be read.</summary>
internal static unsafe class KernelLog
{
    /// <summary>A record has 8 KiB at most, or the kernel refuses to hand it over.</summary>
    private const int RecordSize = 8 << 10;

    private const int MostRecords = 100_000, Overwritten = 32;

    /// <param name="wanted">Texts that are kept, oldest first.</param>
    public static IReadOnlyList<string> Read(Func<string, bool> wanted) => ReadIfAllowed(wanted) ?? [];

    /// <summary>The same; null where it may not be read.</summary>
    public static IReadOnlyList<string>? ReadIfAllowed(Func<string, bool> wanted)
    {
        var descriptor = Libc.Open("/dev/kmsg", Libc.ReadOnly | Libc.NonBlocking | Libc.CloseOnExec);
        if (descriptor < 0) return null;
        var kept = new List<string>();
        var buffer = new byte[RecordSize];
        try
        {
            for (var i = 0; i < MostRecords; i++)
            {
                nint length;
                fixed (byte* start = buffer) length = Libc.Read(descriptor, start, RecordSize);
                // A record that was overwritten while it was read is followed by the next that is there.
                if (length < 0 && Marshal.GetLastPInvokeError() == Overwritten) continue;
                if (length <= 0) break;
                if (TextOf(buffer.AsSpan(0, (int)length)) is { } text && wanted(text)) kept.Add(text);
            }
        }
        finally
        {
            _ = Libc.Close(descriptor);
        }

        return kept;
    }

    /// <summary><c>6,339,5140900,-;NVRM: Xid (PCI:0000:01:00): 31, …</c>, then perhaps lines of properties, each with a space before it.</summary>
    private static string? TextOf(ReadOnlySpan<byte> record)
    {
        var at = record.IndexOf((byte)';');
        if (at < 0) return null;
        var text = record[(at + 1)..];
        var end = text.IndexOf((byte)'\n');
        return Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
    }
}
