using System.Runtime.InteropServices;

namespace Stoker.Platform.Gpus;

/// <summary>
/// What the units of a card did, by NVML's performance monitors (GPM), which Hopper and later cards have, of GeForce cards those since Blackwell. A sample is a buffer of the library's that
/// counters are put into; what happened between two of them is asked of both together.
/// </summary>
internal sealed unsafe class NvmlActivity(NvmlLibrary library, TimeProvider clock) : IDisposable
{
    private const string Field = "activity";

    /// <summary>Well above NVML_GPM_METRIC_MAX, which was 333 in API version 13.</summary>
    private const int Room = 1024;

    private const uint Version = 1;
    private const double Percent = 100, Mebibyte = 1 << 20, MostPercent = 101, MostMebibytes = 10_000_000;

    /// <summary>Closer looks than this do not tell two states apart: the answer is the one before.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);

    /// <summary>Numbers of nvml.h's nvmlGpmMetricId_t.</summary>
    private static readonly (uint Id, string Name, bool IsTraffic)[] Asked =
    [
        (1, "engine", false), (2, "sm", false), (3, "occupancy", false), (5, "tensor", false), (10, "dram", false), (11, "fp64", false), (12, "fp32", false), (13, "fp16", false),
        (20, "pcie_sent", true), (21, "pcie_received", true), (61, "nvlink_sent", true), (60, "nvlink_received", true),
    ];

    private readonly Dictionary<nint, int> _support = [];
    private readonly Dictionary<(nint Device, int Instance), Samples> _samples = [];
    private NvmlMetrics* _metrics;

    /// <summary>Null at the first look, and where it is not told; then <paramref name="ask"/> knows why.</summary>
    /// <param name="device">The card, also for an instance of it.</param>
    /// <param name="instance">Of MIG; null: the whole card.</param>
    public GpuActivity? Read(NvmlFields ask, nint device, int? instance)
    {
        if (!ask.Told(Field, Support(device))) return null;
        if (!_samples.TryGetValue((device, instance ?? -1), out var samples))
        {
            if (!ask.Told(Field, Begin(device, instance, out samples))) return null;
            _samples[(device, instance ?? -1)] = samples;
            return null;
        }

        samples.IsWanted = true;
        if (clock.GetElapsedTime(samples.At) < Shortest) return samples.Last;
        if (!ask.Told(Field, Take(device, instance, samples.Older))) return null;
        (samples.Older, samples.Newer, samples.At) = (samples.Newer, samples.Older, clock.GetTimestamp());
        return samples.Last = Compare(ask, samples);
    }

    /// <summary>Cards were looked for again: what was not asked of since the last time is forgotten.</summary>
    public void Renew()
    {
        _support.Clear();
        foreach (var (key, samples) in _samples)
        {
            if (!samples.IsWanted)
            {
                Free(samples);
                _samples.Remove(key);
            }

            samples.IsWanted = false;
        }
    }

    public void Dispose()
    {
        foreach (var samples in _samples.Values) Free(samples);
        _samples.Clear();
        NativeMemory.Free(_metrics);
        _metrics = null;
    }

    private int Support(nint device)
    {
        if (_support.TryGetValue(device, out var known)) return known;
        var call = (delegate* unmanaged<nint, NvmlMonitorSupport*, int>)library.Find("nvmlGpmQueryDeviceSupport");
        var support = new NvmlMonitorSupport { Version = Version };
        var code = call is null ? NvmlLibrary.NoFunction : call(device, &support);
        if (code == NvmlLibrary.Success && support.IsSupported == 0) code = NvmlLibrary.NotSupported;
        // What failed for another reason may not fail the next time.
        if (code is NvmlLibrary.Success or NvmlLibrary.NotSupported or NvmlLibrary.NoFunction) _support[device] = code;
        return code;
    }

    private int Begin(nint device, int? instance, out Samples samples)
    {
        samples = new Samples { At = clock.GetTimestamp() };
        var allocate = (delegate* unmanaged<nint*, int>)library.Find("nvmlGpmSampleAlloc");
        if (allocate is null) return NvmlLibrary.NoFunction;
        nint older = 0, newer = 0;
        var code = allocate(&older);
        if (code == NvmlLibrary.Success) code = allocate(&newer);
        (samples.Older, samples.Newer) = (older, newer);
        if (code == NvmlLibrary.Success) code = Take(device, instance, newer);
        if (code != NvmlLibrary.Success) Free(samples);
        return code;
    }

    private int Take(nint device, int? instance, nint sample)
    {
        if (instance is { } id)
        {
            var ofInstance = (delegate* unmanaged<nint, uint, nint, int>)library.Find("nvmlGpmMigSampleGet");
            return ofInstance is null ? NvmlLibrary.NoFunction : ofInstance(device, (uint)id, sample);
        }

        var ofCard = (delegate* unmanaged<nint, nint, int>)library.Find("nvmlGpmSampleGet");
        return ofCard is null ? NvmlLibrary.NoFunction : ofCard(device, sample);
    }

    private GpuActivity? Compare(NvmlFields ask, Samples samples)
    {
        var call = (delegate* unmanaged<NvmlMetrics*, int>)library.Find("nvmlGpmMetricsGet");
        if (_metrics is null) _metrics = (NvmlMetrics*)NativeMemory.AllocZeroed((nuint)(sizeof(NvmlMetrics) + (Room * sizeof(NvmlMetric))));
        (_metrics->Version, _metrics->Count, _metrics->Older, _metrics->Newer) = (Version, (uint)Asked.Length, samples.Older, samples.Newer);
        var values = new Span<NvmlMetric>(_metrics + 1, Asked.Length);
        for (var i = 0; i < Asked.Length; i++) values[i] = new NvmlMetric { Id = Asked[i].Id };
        if (!ask.Told(Field, call is null ? NvmlLibrary.NoFunction : call(_metrics))) return null;
        var told = new double?[Asked.Length];
        for (var i = 0; i < Asked.Length; i++) told[i] = Value(ask, Asked[i].Name, values[i], Asked[i].IsTraffic);
        return new GpuActivity
        {
            Engine = told[0], Sm = told[1], Occupancy = told[2], Tensor = told[3], Dram = told[4], Fp64 = told[5], Fp32 = told[6], Fp16 = told[7],
            PcieSent = told[8], PcieReceived = told[9], NvlinkSent = told[10], NvlinkReceived = told[11],
        };
    }

    private static double? Value(NvmlFields ask, string name, NvmlMetric metric, bool isTraffic)
    {
        if (!ask.Told($"{Field}.{name}", metric.Code)) return null;
        if (metric.Value >= 0 && metric.Value <= (isTraffic ? MostMebibytes : MostPercent)) return isTraffic ? metric.Value * Mebibyte : Math.Min(1, metric.Value / Percent);
        ask.Doubt($"{Field}.{name}", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{metric.Value}"));
        return null;
    }

    private void Free(Samples samples)
    {
        var free = (delegate* unmanaged<nint, int>)library.Find("nvmlGpmSampleFree");
        if (free is null) return;
        if (samples.Older != 0) _ = free(samples.Older);
        if (samples.Newer != 0) _ = free(samples.Newer);
    }

    private sealed class Samples
    {
        public nint Older { get; set; }

        public nint Newer { get; set; }

        /// <summary>When <see cref="Newer"/> was taken.</summary>
        public long At { get; set; }

        public GpuActivity? Last { get; set; }

        public bool IsWanted { get; set; } = true;
    }
}
