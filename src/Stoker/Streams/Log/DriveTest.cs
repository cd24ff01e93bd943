using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log;

/// <summary>
/// Measures once, when a log is made, how long a drive takes until it says that something is durable, and what follows from it: a drive of 200 syncs a second needs
/// commits that wait for company, and one that takes 10 µs has not written anything.
/// </summary>
internal static class DriveTest
{
    public const string FileName = "drive.json";

    private const int SmallWrite = 4096, LargeWrite = 64 * 1024, Rounds = 100;

    /// <summary>The bus alone takes about this long; no flash is written in less.</summary>
    private static readonly TimeSpan Implausible = TimeSpan.FromMicroseconds(20);

    /// <summary>Below this the next commit gathers enough while the last one is synced.</summary>
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(2);

    private static readonly TimeSpan MostForEach = TimeSpan.FromMilliseconds(350), LongestWindow = TimeSpan.FromMilliseconds(5);

    /// <summary>At most about a second, whatever the drive.</summary>
    /// <exception cref="IOException"/>
    public static DriveReport Run(IDisk disk, string directory, TimeProvider clock)
    {
        var path = Path.Combine(directory, "drive.tmp");
        try
        {
            using var file = disk.OpenOrThrow(path, DiskAccess.Create);
            // Written before, as a segment is ahead of small batches: measured is the drive, and not the file system's bookkeeping.
            DiskCalls.Check(file.WriteAll(0, new byte[LargeWrite * 8]), "write", path);
            DiskCalls.Check(file.Sync(), "sync", path);
            var small = Measure(file, path, SmallWrite, clock);
            var large = Measure(file, path, LargeWrite, clock);
            return Judge(small, large, clock.GetUtcNow());
        }
        finally
        {
            _ = disk.Delete(path);
        }
    }

    public static DriveReport Judge(IReadOnlyList<TimeSpan> small, IReadOnlyList<TimeSpan> large, DateTimeOffset now)
    {
        var typical = At(small, 0.5);
        var window = typical <= Fast ? TimeSpan.Zero : typical / 4 < LongestWindow ? typical / 4 : LongestWindow;
        return new DriveReport(
            now, Microseconds(typical), Microseconds(At(small, 0.99)), Microseconds(At(large, 0.5)), Microseconds(At(large, 0.99)), Microseconds(window),
            typical < Implausible);
    }

    public static void Write(IDisk disk, string directory, DriveReport report) =>
        disk.WriteFile(Path.Combine(directory, FileName), JsonSerializer.SerializeToUtf8Bytes(report, DriveJson.Default.DriveReport));

    /// <summary>Null: there is none that can be read, which is no reason not to open the log.</summary>
    public static DriveReport? Read(IDisk disk, string directory)
    {
        try
        {
            return disk.ReadFile(Path.Combine(directory, FileName)) is { } bytes ? JsonSerializer.Deserialize(bytes, DriveJson.Default.DriveReport) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<TimeSpan> Measure(IDiskFile file, string path, int size, TimeProvider clock)
    {
        var bytes = new byte[size];
        bytes.AsSpan().Fill(Blocks.Padding);
        var began = clock.GetTimestamp();
        var times = new List<TimeSpan>(Rounds);
        while (times.Count < Rounds && (times.Count == 0 || clock.GetElapsedTime(began) < MostForEach))
        {
            var from = clock.GetTimestamp();
            DiskCalls.Check(file.WriteAll(times.Count % 8 * size, bytes), "write", path);
            DiskCalls.Check(file.Sync(), "sync", path);
            times.Add(clock.GetElapsedTime(from));
        }

        return times;
    }

    private static TimeSpan At(IReadOnlyList<TimeSpan> times, double part) => times.Order().ElementAt((int)((times.Count - 1) * part));

    private static long Microseconds(TimeSpan time) => (long)Math.Round(time.TotalMicroseconds);
}

/// <summary>Times in microseconds.</summary>
/// <param name="Sync4KiB">Of a write of 4 KiB and its sync: half of them took no longer.</param>
/// <param name="Sync4KiBSlow">99 of 100 took no longer.</param>
/// <param name="WindowMicroseconds">How long a commit should wait for more.</param>
/// <param name="MayAcknowledgeEarly">Implausibly fast: it may say that something is durable before it is.</param>
internal sealed record DriveReport(
    DateTimeOffset MeasuredAt, long Sync4KiB, long Sync4KiBSlow, long Sync64KiB, long Sync64KiBSlow, long WindowMicroseconds, bool MayAcknowledgeEarly)
{
    [JsonIgnore]
    public TimeSpan Window => TimeSpan.FromMicroseconds(WindowMicroseconds);

    /// <summary>For a person, at the log's making and in its status.</summary>
    public string Words() =>
        $"the drive syncs 4 KiB in {Sync4KiB} µs (99 of 100 in {Sync4KiBSlow} µs), 64 KiB in {Sync64KiB} µs: about {1_000_000 / Math.Max(1, Sync4KiB):N0} commits a second"
        + (WindowMicroseconds > 0 ? $"; a commit waits {WindowMicroseconds} µs for more" : "")
        + (MayAcknowledgeEarly ? "; that is implausibly fast: it may say that something is durable before it is, and a power cut then loses it" : "");
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DriveReport))]
internal sealed partial class DriveJson : JsonSerializerContext;
