using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Stoker.Streams.Kafka;

/// <summary>Finds the system's librdkafka, once for the process. The distribution keeps it patched; a copy of our own would not be.</summary>
internal static partial class KafkaLibrary
{
    public const string Missing = "Kafka's library `librdkafka.so.1` is not installed: `apt-get install librdkafka1`, `dnf install librdkafka`, or `apk add librdkafka`";

    private const string Name = "librdkafka.so.1";

    private static readonly Lazy<bool> IsThere = new(() => NativeLibrary.TryLoad(Name, out _));

    private static readonly Lazy<bool> Loaded = new(Load);

    public static bool IsInstalled => IsThere.Value;

    /// <exception cref="IOException">It is not installed, with the way to get it.</exception>
    public static void Need()
    {
        if (!IsInstalled) throw new IOException(Missing);
        if (!Loaded.Value) throw new IOException($"Kafka's library `{Name}` cannot be used");
    }

    /// <summary>What the cluster calls itself; null: it did not say in time.</summary>
    public static string? ClusterOf(IClient client, TimeSpan patience)
    {
        // The client has no call for it, and does not show the pointer that the library's own call asks for.
        var owner = typeof(Handle).GetProperty("LibrdkafkaHandle", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)
            ?? throw new InvalidOperationException("Confluent.Kafka has changed: it no longer holds librdkafka's handle where it did");
        var handle = (SafeHandle)owner.GetValue(client.Handle)!;
        var text = ClusterId(handle.DangerousGetHandle(), (int)patience.TotalMilliseconds);
        if (text == 0) return null;
        var cluster = Marshal.PtrToStringUTF8(text);
        Free(handle.DangerousGetHandle(), text);
        return cluster;
    }

    private static bool Load()
    {
        // Confluent.Kafka asks for these two by names that are there only where packages for developing are.
        NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, (asked, _, _) => asked switch
        {
            "librdkafka" => NativeLibrary.Load(Name),
            "libdl" => NativeLibrary.TryLoad("libdl.so.2", out var found) ? found : 0,
            _ => 0,
        });
        return Library.IsLoaded || Library.Load(null);
    }

    [LibraryImport(Name, EntryPoint = "rd_kafka_clusterid")]
    private static partial nint ClusterId(nint client, int milliseconds);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mem_free")]
    private static partial void Free(nint client, nint memory);
}
