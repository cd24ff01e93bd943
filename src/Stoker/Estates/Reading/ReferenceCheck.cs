using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>Whether every name that a service uses is declared in the estate. Cycles and clashes are the planner's.</summary>
internal sealed class ReferenceCheck(EstateSpec estate, DiagnosticBag bag)
{
    public void Check()
    {
        foreach (var service in estate.Services.Values)
        {
            CheckPlace(service);
            foreach (var dependency in service.DependsOn.Values) CheckDependency(service, dependency);
            CheckMaterials(service, service.Secrets, estate.Secrets, "secret");
            CheckMaterials(service, service.Configs, estate.Configs, "config");
            CheckMounts(service);
            CheckNetworks(service);
            CheckModels(service);
        }
    }

    private void CheckPlace(ServiceSpec service)
    {
        if (service.Group is { } group && !estate.Groups.ContainsKey(group.Value))
        {
            Report(EstateDiagnostics.UnknownGroup, service, group.Where, $"is in unknown group `{group.Value}`",
                Suggestion.For(group.Value.Value, estate.Groups.Keys.Select(g => g.Value)) ?? "declare it in `groups`");
        }

        if (service.Host is { } host && !estate.Hosts.ContainsKey(host.Value))
            Report(EstateDiagnostics.UnknownHost, service, host.Where, $"is on unknown host `{host.Value}`", HostReader.UnknownHostHint(host.Value.Value, estate.Hosts));
    }

    private void CheckDependency(ServiceSpec service, DependencySpec dependency)
    {
        if (dependency.Service == service.Name)
        {
            Report(EstateDiagnostics.SelfDependency, service, dependency.Where, "depends on itself", null);
        }
        else if (!estate.Services.TryGetValue(dependency.Service, out var other))
        {
            var code = dependency.IsLink ? EstateDiagnostics.UnknownLink : EstateDiagnostics.UnknownDependency;
            var message = $"service `{service.Name}` {(dependency.IsLink ? "links to" : "depends on")} unknown service `{dependency.Service}`";
            var hint = Suggestion.For(dependency.Service.Value, estate.Services.Keys.Select(s => s.Value));
            bag.Add(dependency.Required
                ? new Diagnostic(code, dependency.Where, message, hint)
                : new Diagnostic(code, dependency.Where, $"{message}, which is not required", hint) { Severity = Severity.Warning });
        }
        else if (dependency.Condition == DependencyCondition.Healthy && other.Healthcheck is null or { Probe: ProbeSpec.None })
        {
            Report(EstateDiagnostics.NoHealthToWaitFor, service, dependency.Where, $"waits for `{other.Name}` to be healthy, which has no healthcheck",
                $"give `{other.Name}` a `healthcheck`, or wait for `service_started`");
        }
    }

    private void CheckMaterials(ServiceSpec service, IReadOnlyList<MaterialUse> uses, IReadOnlyDictionary<string, MaterialSpec> declared, string noun)
    {
        foreach (var use in uses)
        {
            if (!declared.TryGetValue(use.Source, out var material))
            {
                Report(EstateDiagnostics.UnknownMaterial, service, use.Where, $"uses unknown {noun} `{use.Source}`", Suggestion.For(use.Source, declared.Keys) ?? $"declare it in `{noun}s`");
            }
            else if (material.External && !service.IsContainer)
            {
                Report(EstateDiagnostics.ExternalToTheTool, service, use.Where, $"is a plain process and uses {noun} `{use.Source}`, which only the container tool has",
                    $"give the {noun} a `file` or an `environment`");
            }
        }
    }

    private void CheckMounts(ServiceSpec service)
    {
        foreach (var mount in service.Mounts)
        {
            if (mount is { Kind: MountKind.Volume, Source: { } volume } && !estate.Volumes.ContainsKey(volume))
            {
                Report(EstateDiagnostics.UnknownVolume, service, mount.Where, $"mounts unknown volume `{volume}`",
                    Suggestion.For(volume, estate.Volumes.Keys) ?? $"declare it in `volumes`, or write `./{volume}` for a directory");
            }
        }
    }

    private void CheckNetworks(ServiceSpec service)
    {
        foreach (var use in service.Networks)
        {
            if (use.Network != "default" && !estate.Networks.ContainsKey(use.Network))
                Report(EstateDiagnostics.UnknownNetwork, service, use.Where, $"joins unknown network `{use.Network}`", Suggestion.For(use.Network, estate.Networks.Keys) ?? "declare it in `networks`");
        }
    }

    private void CheckModels(ServiceSpec service)
    {
        var models = estate.Sections.GetValueOrDefault("models") as MappingNode;
        foreach (var use in service.Models)
        {
            if (models?.Find(use.Model) is null)
                Report(EstateDiagnostics.UnknownModel, service, use.Where, $"uses unknown model `{use.Model}`",
                    Suggestion.For(use.Model, models.Named().Select(m => m.Name)) ?? "declare it in `models`");
        }
    }

    private void Report(DiagnosticCode code, ServiceSpec service, SourcePosition where, string message, string? hint) =>
        bag.Add(code, where, $"service `{service.Name}` {message}", hint);
}
