using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// A stable hash of everything that a running process or container was started with: when it changes, <c>up</c> restarts the
/// service. What the supervisor can change under a running service is left out: healthcheck, restart policy, stop signal and
/// grace, reload, dependencies, group, profiles, replicas, logging. Only the hash is kept, so no value can be read from it;
/// secrets enter by the name of their source, never by value.
/// </summary>
internal sealed class Fingerprint
{
    private readonly ArrayBufferWriter<byte> _bytes = new(1024);

    /// <param name="gpus">The cards it runs on: a service that must move to another card is restarted.</param>
    public string Of(EstateSpec estate, PlacedService service, RuntimeKind runtime, IEnumerable<GpuCard> gpus)
    {
        _bytes.ResetWrittenCount();
        var spec = service.Spec;
        Text(spec.Name.Value);
        Number((int)runtime);
        if (runtime == RuntimeKind.StandIn && spec.Simulation is { } simulation) Texts(simulation.Arguments);
        AddCommand(spec);
        AddSurroundings(estate, spec);
        AddLimits(spec);
        AddGpus(service, gpus);
        if (spec.IsContainer) AddContainer(estate, spec);
        return Fnv.Of(_bytes.WrittenSpan).ToString("x16", CultureInfo.InvariantCulture);
    }

    private void AddCommand(ServiceSpec spec)
    {
        Texts(spec.Entrypoint);
        Texts(spec.Command);
        Text(spec.Image);
        Text(spec.WorkingDirectory);
        Text(spec.User?.Value);
        Number(spec.Umask);
        Number(spec.Nice);
        Map(spec.Environment, v => Text(v.Value));
        Each(spec.PostStart, hook =>
        {
            Texts(hook.Command);
            Text(hook.User);
            Text(hook.WorkingDirectory);
            Map(hook.Environment, Text);
        });

        // NOTIFY_SOCKET and WATCHDOG_USEC are in the environment that it was started with; of the healthcheck nothing else is.
        var notify = spec.Healthcheck?.Probe as ProbeSpec.Notify;
        Number(notify is null ? 0 : 1);
        Number(notify?.Watchdog?.Ticks);
    }

    private void AddSurroundings(EstateSpec estate, ServiceSpec spec)
    {
        Each(spec.Ports, p =>
        {
            Text(p.HostIp);
            Number(p.Published);
            Number(p.PublishedEnd);
            Number(p.Target);
            Text(p.Protocol);
        });
        AddMaterials(spec.Secrets, estate.Secrets);
        AddMaterials(spec.Configs, estate.Configs);
        Each(spec.Models, m =>
        {
            Text(m.Model);
            Text(m.EndpointVariable);
            Text(m.ModelVariable);
        });
        Each(spec.Mounts, m =>
        {
            Number((int)m.Kind);
            Text(m.Source);
            Text(m.Target);
            Texts(m.Options);
            var volume = m.Kind == MountKind.Volume && m.Source is { } source ? estate.Volumes.GetValueOrDefault(source) : null;
            Text(volume?.GivenName);
            Text(volume?.Driver);
            Number(volume is { External: true } ? 1 : 0);
            Map(volume?.DriverOptions ?? new Dictionary<string, string>(), Text);
        });
    }

    private void AddMaterials(IReadOnlyList<MaterialUse> uses, IReadOnlyDictionary<string, MaterialSpec> sources) => Each(uses, use =>
    {
        Text(use.Source);
        Text(use.Target);
        Text(use.Uid);
        Text(use.Gid);
        Number(use.Mode);
        var source = sources.GetValueOrDefault(use.Source);
        Text(source?.File);
        Text(source?.EnvironmentVariable);
        Text(source?.Content);
        Text(source?.GivenName);
        Number(source is { External: true } ? 1 : 0);
    });

    private void AddLimits(ServiceSpec spec)
    {
        Fraction(spec.Resources.CpuLimit);
        Number(spec.Resources.MemoryLimit?.Bytes);
        Number(spec.Resources.PidsLimit);
        Fraction(spec.Resources.CpuReservation);
        Number(spec.Resources.MemoryReservation?.Bytes);
        var limits = spec.Ulimits.OrderBy(u => u.Name, StringComparer.Ordinal).ToList();
        Each(limits, u =>
        {
            Text(u.Name);
            Number(u.Soft);
            Number(u.Hard);
        });
    }

    private void AddGpus(PlacedService service, IEnumerable<GpuCard> gpus)
    {
        Each(service.Spec.Resources.Gpus, r =>
        {
            Number(r.Count);
            Texts(r.DeviceIds);
            Number(r.Memory?.Bytes);
            Text(r.Share);
        });
        if (service.Spec.Resources.Gpus.Count == 0) return;
        Number(service.Group?.Gpu?.Memory?.Bytes);
        Text(service.Group?.Gpu?.Share);
        Texts([.. gpus.Select(c => c.Real?.Uuid ?? c.Name)]);
    }

    private void AddContainer(EstateSpec estate, ServiceSpec spec)
    {
        Text(spec.ContainerName);
        Text(spec.ContainerRuntime);
        Text(spec.Build?.Context);
        Text(spec.Build?.Dockerfile);
        Text(spec.Build?.DockerfileInline);
        Texts(spec.Build?.Options);
        Texts(spec.ContainerOptions);
        Map(spec.Labels, Text);

        // The container tool remembers the signal from `run`.
        Number(spec.StopSignal);
        Each(spec.Networks, use =>
        {
            Text(use.Network);
            Texts(use.Aliases);
            Text(use.Ipv4Address);
            Text(use.Ipv6Address);
            Text(use.MacAddress);
            AddNetwork(estate.Networks.GetValueOrDefault(use.Network));
        });
    }

    private void AddNetwork(NetworkSpec? network)
    {
        Text(network?.GivenName);
        Text(network?.Driver);
        Number((network is { External: true } ? 1 : 0) + (network is { Internal: true } ? 2 : 0));
        Map(network?.DriverOptions ?? new Dictionary<string, string>(), Text);
        Map(network?.Labels ?? new Dictionary<string, string>(), Text);
        Texts(network?.CreateOptions);
    }

    private void Map<T>(IReadOnlyDictionary<string, T> map, Action<T> add)
    {
        Number(map.Count);
        foreach (var key in map.Keys.Order(StringComparer.Ordinal))
        {
            Text(key);
            add(map[key]);
        }
    }

    private void Each<T>(IReadOnlyList<T> items, Action<T> add)
    {
        Number(items.Count);
        foreach (var item in items) add(item);
    }

    private void Texts(IReadOnlyList<string>? texts)
    {
        Number(texts?.Count);
        foreach (var text in texts ?? []) Text(text);
    }

    /// <summary>Its length, then its bytes, so that two values never run together; length -1 for none.</summary>
    private void Text(string? text)
    {
        Number(text?.Length ?? -1);
        if (text is not null) Encoding.UTF8.GetBytes(text, _bytes);
    }

    private void Fraction(double? value) => Number(value is { } number ? BitConverter.DoubleToInt64Bits(number) : null);

    private void Number(long? value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(sizeof(long)), value ?? long.MinValue);
        _bytes.Advance(sizeof(long));
    }
}
