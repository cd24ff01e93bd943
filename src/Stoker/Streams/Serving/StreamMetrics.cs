using System.Collections.Concurrent;
using Stoker.Http;
using Stoker.Streams.Archive;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log;

namespace Stoker.Streams.Serving;

/// <summary>What a stream counts at its door. Written by all loops without a lock.</summary>
internal sealed class StreamMetrics
{
    private readonly ConcurrentDictionary<int, long> _refused = new();
    private long _events;
    private long _rejected;
    private long _bytes;
    private long _bugs;

    public long Events => Interlocked.Read(ref _events);

    public void Posted(IngestResult result, PostOutcome outcome, int bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        if (outcome != PostOutcome.Durable) return;
        var taken = result.HasAccepted ? result.AcceptedCount : 0;
        Interlocked.Add(ref _events, taken);
        Interlocked.Add(ref _rejected, result.Refusal is null ? result.Count - taken : 1);
    }

    public void Refused(int status) => _refused.AddOrUpdate(status, 1, static (_, count) => count + 1);

    public void Bug() => Interlocked.Increment(ref _bugs);

    /// <summary>In Prometheus' text format.</summary>
    public PrometheusPage Page(StreamState stream)
    {
        var page = new PrometheusPage();
        page.Single("stoker_stream_events_total", "counter", "Events that were acknowledged.", Events);
        page.Single("stoker_stream_events_rejected_total", "counter", "Events that were not what their type says.", Interlocked.Read(ref _rejected));
        page.Single("stoker_stream_received_bytes_total", "counter", "Bytes of bodies.", Interlocked.Read(ref _bytes));
        Lines(page, "stoker_stream_refused_total", "counter", "Requests that were refused as a whole.", _refused.OrderBy(r => r.Key).Select(r => ($"status=\"{r.Key}\"", r.Value)));
        page.Single("stoker_stream_bugs_total", "counter", "Requests that ended with a bug.", Interlocked.Read(ref _bugs));
        var partitions = stream.Log.Partitions.Select(p => (Label: $"partition=\"{p.Number}\"", Status: p.Status())).ToList();
        // Of a topic the disk is the broker's.
        var onDisk = partitions.Where(p => p.Status.Bytes > 0).ToList();
        Lines(page, "stoker_stream_log_next_offset", "gauge", "Of the next event in the log.", partitions.Select(p => (p.Label, (long)p.Status.NextOffset)));
        Lines(page, "stoker_stream_log_begin_offset", "gauge", "Of the first event still in the log.", partitions.Select(p => (p.Label, (long)p.Status.BeginOffset)));
        Lines(page, "stoker_stream_log_bytes", "gauge", "Of the log on the disk.", onDisk.Select(p => (p.Label, p.Status.Bytes)));
        Lines(page, "stoker_stream_log_commits_total", "counter", "Times that the disk was synced.", onDisk.Select(p => (p.Label, p.Status.Commits)));
        Lines(page, "stoker_stream_log_writable", "gauge", "1: events are taken.", partitions.Select(p => (p.Label, p.Status.State is PartitionState.Writable or PartitionState.Elsewhere ? 1L : 0L)));
        var workers = stream.Workers.Select((w, i) => (Label: $"partition=\"{i}\"", w.Progress, Lag: w.LagSeconds)).ToList();
        Lines(page, "stoker_stream_stored_total", "counter", "Documents that were stored since the process began.", workers.Select(w => (w.Label, w.Progress.Stored)));
        Lines(page, "stoker_stream_duplicates_total", "counter", "Events that were stored before.", workers.Select(w => (w.Label, w.Progress.Duplicates)));
        page.Single("stoker_stream_dead_letters", "gauge", "Events that were put aside and wait for somebody.", stream.DeadLetters.Count());
        Lines(page, "stoker_stream_lag_seconds", "gauge", "Age of the oldest event that is not stored.", workers.Select(w => (w.Label, (long)w.Lag)));
        if (stream.Archive is { } archive) AddArchive(page, archive);
        foreach (var kind in stream.Log.Metrics().GroupBy(metric => metric.Name))
        {
            page.Family(kind.Key, kind.First().Kind, kind.First().Help);
            foreach (var metric in kind) page.Line(metric.Name, metric.Labels, metric.Value);
        }

        return page;
    }

    private static void AddArchive(PrometheusPage page, StreamArchive archive)
    {
        var workers = archive.Workers.Select((w, i) => (Label: $"partition=\"{i}\"", w.Progress, Lag: w.LagSeconds)).ToList();
        var ours = workers.Where(w => !w.Progress.IsElsewhere).Select(w => (w.Label, (long)w.Progress.Next));
        Lines(page, "stoker_stream_archive_next_offset", "gauge", "Of the first event that is not archived.", ours);
        Lines(page, "stoker_stream_archived_total", "counter", "Events that were archived since the process began.", workers.Select(w => (w.Label, w.Progress.Events)));
        Lines(page, "stoker_stream_archive_objects_total", "counter", "Objects that were put into the archive.", workers.Select(w => (w.Label, w.Progress.Objects)));
        Lines(page, "stoker_stream_archive_bytes_total", "counter", "Bytes of those objects.", workers.Select(w => (w.Label, w.Progress.Bytes)));
        Lines(page, "stoker_stream_archive_failures_total", "counter", "Attempts to archive that failed and are made again.", workers.Select(w => (w.Label, w.Progress.Failures)));
        Lines(page, "stoker_stream_archive_lag_seconds", "gauge", "Age of the oldest event that is not archived.", workers.Select(w => (w.Label, (long)w.Lag)));
    }

    private static void Lines(PrometheusPage page, string name, string kind, string help, IEnumerable<(string Labels, long Value)> values)
    {
        page.Family(name, kind, help);
        foreach (var (labels, value) in values) page.Line(name, labels, value);
    }
}
