using Stoker.Diagnostics;
using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Estates.Yaml;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>
/// From a request to a plan: load, read, observe, plan. The same for <c>stoker check</c> and <c>stoker plan</c> without a daemon and
/// for <c>up</c> within one.
/// </summary>
internal static class EstateWork
{
    /// <summary>An estate file as far as it could be read.</summary>
    /// <param name="Estate">Null when the file could not be read at all; with errors in the bag it must not be run.</param>
    internal sealed record Loaded(EstateSpec? Estate, LoadedEstate? Source, DiagnosticBag Diagnostics)
    {
        /// <summary>The caller's environment with what <c>.env</c> adds.</summary>
        public IReadOnlyDictionary<string, string> Variables => Source?.Variables ?? new Dictionary<string, string>();
    }

    public static Loaded Load(ApplyRequest request)
    {
        var bag = new DiagnosticBag();
        var files = new EstateFiles();
        var source = EstateLoader.Load(new LoadRequest(request.Files, request.ProjectDirectory, request.Env, request.Variables), files, bag);
        if (source is null) return new Loaded(null, null, bag);
        var context = new ReadContext(
            Path.GetFileName(source.Directory), request.Files[0], source.Directory, source.DirectoryOf, source.Variables, new VariableFiles(files, source.Variables), Modules.Sections)
        {
            Environment = request.Env,
        };
        return new Loaded(EstateReader.Read(source.Root, context, bag), source, bag);
    }

    public static EstatePlan Plan(EstateSpec estate, ApplyRequest request, IReadOnlyDictionary<string, string> variables, RunningEstate running, IReadOnlyDictionary<ServiceName, int> scale)
    {
        var asked = new PlanRequest
        {
            Host = request.Host is { } host ? new HostName(host) : null,
            Rehearse = request.Rehearse,
            Profiles = request.Profiles.ToHashSet(),
            Names = [.. request.Names.Select(n => new ServiceName(n))],
            Beside = [.. request.Beside.Select(n => new ServiceName(n))],
            Scale = scale,
        };
        return Planner.Plan(estate, asked, Observation.Of(estate, asked, variables, running));
    }

    /// <summary>Reads the values of secrets and configs of every service that this host runs. What cannot be read is a diagnostic.</summary>
    public static IReadOnlyDictionary<ServiceName, LaunchContext> Contexts(EstatePlan plan, IReadOnlyDictionary<string, string> variables, DiagnosticBag bag)
    {
        var contexts = new Dictionary<ServiceName, LaunchContext>();
        foreach (var service in plan.Local)
        {
            var materials = new List<Material>();
            foreach (var use in service.Spec.Secrets) Add(materials, use, plan.Estate.Secrets.GetValueOrDefault(use.Source), variables, isSecret: true, bag);
            foreach (var use in service.Spec.Configs) Add(materials, use, plan.Estate.Configs.GetValueOrDefault(use.Source), variables, isSecret: false, bag);
            contexts[service.Name] = new LaunchContext(variables, new ServiceMaterials(materials)) { Estate = plan.Estate };
        }

        return contexts;
    }

    private static void Add(List<Material> materials, MaterialUse use, MaterialSpec? spec, IReadOnlyDictionary<string, string> variables, bool isSecret, DiagnosticBag bag)
    {
        // An unknown name was reported by the reader; an external one is the container tool's.
        if (spec is null || spec.External) return;
        var kind = isSecret ? "secret" : "config";
        if (Content(spec, variables, out var problem) is { } content)
            materials.Add(new Material(spec.Name, Materials.TargetOf(use, isSecret), content, isSecret, use.Mode) { Owner = OwnerOf(use) });
        else
            bag.Add(DaemonDiagnostics.MaterialUnreadable, spec.Where, $"{kind} `{spec.Name}` cannot be read: {problem}", "every service that uses it needs it to start");
    }

    private static (uint User, uint Group)? OwnerOf(MaterialUse use)
    {
        if (use.Uid is null && use.Gid is null) return null;
        var user = uint.TryParse(use.Uid, out var uid) ? uid : 0;
        return (user, uint.TryParse(use.Gid, out var gid) ? gid : user);
    }

    private static byte[]? Content(MaterialSpec spec, IReadOnlyDictionary<string, string> variables, out string problem)
    {
        problem = "";
        if (spec.Content is { } content) return System.Text.Encoding.UTF8.GetBytes(content);
        if (spec.EnvironmentVariable is { } name)
        {
            problem = $"the variable `{name}` is not set";
            return variables.TryGetValue(name, out var value) ? System.Text.Encoding.UTF8.GetBytes(value) : null;
        }

        try
        {
            problem = $"there is no file `{spec.File}`";
            return Files.ReadIfPresent(spec.File!);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            problem = refused.Message;
            return null;
        }
    }
}
