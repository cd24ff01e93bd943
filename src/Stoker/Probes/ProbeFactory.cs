using Stoker.Estates;

namespace Stoker.Probes;

/// <summary>Makes the probe of a healthcheck for one replica, once for each start.</summary>
internal static class ProbeFactory
{
    /// <summary>Null for what is not asked but told (<c>log</c>, <c>notify</c>) and for <c>none</c>.</summary>
    /// <param name="timeout">Of each question; the probe keeps it by itself.</param>
    public static IProbe? Create(ProbeSpec probe, ProbeTarget target, TimeSpan timeout, TimeProvider clock) => probe switch
    {
        ProbeSpec.Tcp tcp => new TcpProbe(target.HostsFor(tcp.Host), target.PortFor(tcp.Port), timeout, clock) { Held = tcp.Held },
        ProbeSpec.Http http => new HttpProbe(HttpQuestion.Of(http, target), timeout, clock),
        ProbeSpec.Exec exec => new ExecProbe(exec.Command, target, timeout, clock),
        ProbeSpec.Gpu gpu => new GpuProbe(gpu, target, timeout, clock),
        _ => null,
    };
}
