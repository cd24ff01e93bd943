using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Tests.Shared;

/// <summary>
/// Writes estates for tests of what comes after reading. Each entry gets places as if it stood in <c>stoker.yaml</c>: the first
/// service at line 10, the next at 20, its ports at +1, its dependencies at +2, …
/// </summary>
internal sealed class EstateBuilder(string name = "test")
{
    private const string File = "stoker.yaml";

    private readonly Dictionary<HostName, HostSpec> _hosts = [];
    private readonly Dictionary<GroupName, GroupSpec> _groups = [];
    private readonly Dictionary<ServiceName, ServiceSpec> _services = [];
    private readonly Dictionary<string, MaterialSpec> _secrets = [];
    private int _line;

    public static SourcePosition At(int line, int column = 5) => new(File, line, column);

    public EstateBuilder Host(string host, string? address = null, double? cpus = null, ByteSize? memory = null, params GpuSpec[] gpus)
    {
        _hosts[new HostName(host)] = new HostSpec(new HostName(host), address, gpus, At(1)) { Cpus = cpus, Memory = memory };
        return this;
    }

    public static GpuSpec Gpu(string model, ByteSize? memory = null, string? uuid = null) => new(model, memory, uuid, At(2));

    public static ByteSize GiB(double amount) => new((long)(amount * (1L << 30)));

    public EstateBuilder Group(string group, string? host = null, string[]? dependsOn = null, GpuShareSpec? gpu = null)
    {
        _line += 10;
        _groups[new GroupName(group)] = new GroupSpec(
            new GroupName(group),
            host is null ? null : new HostName(host),
            [.. (dependsOn ?? []).Select((g, i) => new Positioned<GroupName>(new GroupName(g), At(_line + 1, 18 + i)))],
            gpu is null ? null : gpu with { Where = At(_line + 2) },
            At(_line, 3));
        return this;
    }

    public static GpuShareSpec GpuShare(ByteSize? memory, string share = "mps", int count = 1) => new(memory, share, count, At(0));

    /// <param name="file">Null: the container tool has it.</param>
    public EstateBuilder Secret(string secret, string? file = null)
    {
        _secrets[secret] = new MaterialSpec(secret, file, null, null, file is null, At(5));
        return this;
    }

    /// <summary>A process with the command <c>NAME</c>, changed by <paramref name="declare"/>.</summary>
    public EstateBuilder Service(string service, Func<ServiceDraft, ServiceDraft>? declare = null)
    {
        _line += 10;
        var draft = new ServiceDraft(new ServiceSpec(new ServiceName(service), At(_line, 3)) { Command = [service], CommandWhere = At(_line + 9) }, _line);
        _services[new ServiceName(service)] = (declare?.Invoke(draft) ?? draft).Spec;
        return this;
    }

    public EstateSpec Build() => new(name, File, "/estate") { Hosts = _hosts, Groups = _groups, Services = _services, Secrets = _secrets };
}

/// <summary>A service being declared, in the words of the file.</summary>
internal sealed record ServiceDraft(ServiceSpec Spec, int Line)
{
    public ServiceDraft Command(params string[] words) => With(Spec with { Command = words });

    public ServiceDraft Image(string image) =>
        With(Spec with { Image = image, Command = null, Healthcheck = Spec.Healthcheck ?? new HealthcheckSpec(new ProbeSpec.Image(), EstateBuilder.At(Line)) });

    public ServiceDraft Group(string group) =>
        With(Spec with { Group = new Positioned<GroupName>(new GroupName(group), EstateBuilder.At(Line + 6)) });

    public ServiceDraft Host(string host) => With(Spec with { Host = new Positioned<HostName>(new HostName(host), EstateBuilder.At(Line + 6)) });

    public ServiceDraft Profiles(params string[] profiles) => With(Spec with { Profiles = profiles });

    public ServiceDraft Replicas(int replicas) => With(Spec with { Replicas = replicas });

    public ServiceDraft DependsOn(
        string service, DependencyCondition condition = DependencyCondition.Started, bool restart = false, bool required = true)
    {
        var name = new ServiceName(service);
        var place = EstateBuilder.At(Line + 2, 7 + Spec.DependsOn.Count);
        var all = new Dictionary<ServiceName, DependencySpec>(Spec.DependsOn) { [name] = new(name, condition, restart, required, place) };
        return With(Spec with { DependsOn = all });
    }

    public ServiceDraft Tcp(int port) => Healthcheck(new ProbeSpec.Tcp("127.0.0.1", port));

    public ServiceDraft Healthcheck(ProbeSpec probe) => With(Spec with { Healthcheck = new HealthcheckSpec(probe, EstateBuilder.At(Line + 3)) });

    public ServiceDraft Port(int published, int? end = null, int? target = null, string? ip = null, string protocol = "tcp")
    {
        var port = new PortSpec(ip, published, end, target ?? published, protocol, EstateBuilder.At(Line + 1, 13 + Spec.Ports.Count));
        return With(Spec with { Ports = [.. Spec.Ports, port] });
    }

    public ServiceDraft Memory(ByteSize? limit = null, ByteSize? reservation = null) =>
        Resources(Spec.Resources with { MemoryLimit = limit, MemoryReservation = reservation });

    public ServiceDraft Cpus(double? limit = null, double? reservation = null) =>
        Resources(Spec.Resources with { CpuLimit = limit, CpuReservation = reservation });

    public ServiceDraft Gpu(int? count = 1, ByteSize? memory = null, string share = "whole", params string[] ids) =>
        Resources(Spec.Resources with { Gpus = [.. Spec.Resources.Gpus, new GpuRequest(count, ids, memory, share, EstateBuilder.At(Line + 5))] });

    public ServiceDraft Environment(string name, string? value) => With(Spec with
    {
        Environment = new Dictionary<string, Positioned<string?>>(Spec.Environment) { [name] = new(value, EstateBuilder.At(Line + 7)) },
    });

    public ServiceDraft With(ServiceSpec spec) => this with { Spec = spec };

    private ServiceDraft Resources(ResourceSpec resources) => With(Spec with { Resources = resources with { Where = EstateBuilder.At(Line + 4) } });
}
