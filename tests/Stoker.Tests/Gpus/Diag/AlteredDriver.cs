using Stoker.Platform.Gpus;

namespace Stoker.Tests.Gpus.Diag;

/// <summary>A driver whose cards are simulated, shown as real, and of which a test changes what it is about.</summary>
internal sealed class AlteredDriver(IGpuDriver inner) : IGpuDriver
{
    public GpuSystem System { get; set; } = new("580.65.06", "13.580.65.06", "13.0", IsSimulated: false);

    public Func<GpuDevice, GpuDevice> OfDevice { get; set; } = device => device;

    public Func<GpuReading, GpuReading> OfReading { get; set; } = reading => reading;

    public IReadOnlyList<GpuDevice> ReadDevices() => [.. inner.ReadDevices().Select(d => OfDevice(d with { Simulated = false }))];

    public IReadOnlyList<GpuReading> ReadNow() => [.. inner.ReadNow().Select(OfReading)];

    public IReadOnlyList<GpuEvent> TakeEvents() => inner.TakeEvents();

    public void Dispose() => inner.Dispose();
}
