using System.Globalization;
using System.Text;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Opening;

/// <summary>
/// What a log is, in a file of its own, written once:
/// <code>
/// stoker log 1
/// id 3f2c…
/// partitions 4
/// crc32c 1b2a3c4d
/// </code>
/// </summary>
internal sealed record LogIdentity(LogId Id, int Partitions)
{
    public const string FileName = "identity";

    public byte[] ToBytes()
    {
        var text = $"stoker log 1\nid {Id}\npartitions {Partitions}\n";
        return Encoding.ASCII.GetBytes($"{text}crc32c {Crc32C.Of(Encoding.ASCII.GetBytes(text)):x8}\n");
    }

    /// <summary>Null: it is not such a file, to the last byte.</summary>
    public static LogIdentity? TryRead(ReadOnlySpan<byte> bytes)
    {
        var lines = Encoding.Latin1.GetString(bytes).Split('\n');
        if (lines.Length < 3 || !lines[1].StartsWith("id ", StringComparison.Ordinal) || !lines[2].StartsWith("partitions ", StringComparison.Ordinal)) return null;
        if (!LogId.TryParse(lines[1].AsSpan(3), out var id)) return null;
        if (!int.TryParse(lines[2].AsSpan(11), NumberStyles.None, CultureInfo.InvariantCulture, out var partitions) || partitions < 1) return null;
        var identity = new LogIdentity(id, partitions);
        return bytes.SequenceEqual(identity.ToBytes()) ? identity : null;
    }
}
