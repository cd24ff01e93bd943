using System.Text;
using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <param name="Width">Columns of the terminal.</param>
/// <param name="Ansi">Bold titles and dim remarks; they carry nothing that the words do not.</param>
/// <param name="Diagnostics">Print refusals and warnings too; false where the caller prints them by itself.</param>
internal sealed record PlanPrintOptions(int Width = 80, bool Ansi = false, bool Diagnostics = true);

/// <summary>
/// A plan for people: what starts when, what decides how long it takes, what changes and why, what is stood in for, what
/// cannot be enforced, who has which GPU, and why it is refused. Sections with nothing to say are left out.
/// </summary>
internal sealed class PlanPrinter
{
    private readonly EstatePlan _plan;
    private readonly PlanPrintOptions _options;
    private readonly StringBuilder _text = new();

    private PlanPrinter(EstatePlan plan, PlanPrintOptions options)
    {
        _plan = plan;
        _options = options;
    }

    public static string Print(EstatePlan plan, PlanPrintOptions? options = null)
    {
        var printer = new PlanPrinter(plan, options ?? new PlanPrintOptions());
        printer.PrintHeadline();
        printer.PrintWaves();
        printer.PrintCriticalPath();
        printer.PrintChanges();
        printer.PrintStandIns();
        printer.PrintNotEnforced();
        printer.PrintGpus();
        if (printer._options.Diagnostics) printer.PrintDiagnostics();
        return printer._text.ToString();
    }

    private void PrintHeadline()
    {
        var local = _plan.Local.Count();
        var remote = _plan.Services.Count - local;
        var where = _plan.Host is { } host ? $" on {host}"
            : _plan.Estate.Hosts.Count > 1 && local > 0 ? $" with its {_plan.Estate.Hosts.Count} hosts on this machine"
            : "";
        var what = new List<string> { $"{Words.Count(local, "service")} in {Words.Count(_plan.Waves.Count, "wave")}" };
        if (remote > 0) what.Add($"{remote} more on other hosts");
        if (_plan.Rehearse) what.Add($"a rehearsal with {Words.Count(_plan.Local.Count(s => s.StandIn is not null), "stand-in")}");
        var errors = _plan.Diagnostics.Count(d => d.Severity == Severity.Error);
        if (errors > 0) what.Add($"refused with {Words.Count(errors, "error")}");
        Wrapped($"{Bold(_plan.Estate.Name)}{where}: {string.Join(", ", what)}");
    }

    private void PrintWaves()
    {
        if (_plan.Waves.Count == 0) return;
        Title("start order");
        var table = new TextTable(_options.Width, 2);
        for (var i = 0; i < _plan.Waves.Count; i++) table.Add($"{i + 1}", string.Join("  ", _plan.Waves[i].Select(Marked)));
        table.Print(_text);
    }

    private void PrintCriticalPath()
    {
        if (_plan.CriticalPath.Count < 2) return;
        Title("critical path");
        var steps = _plan.CriticalPath.Select((s, i) => Step(s, i == _plan.CriticalPath.Count - 1));
        var known = _plan.CriticalPath
            .Where((s, i) => s.Expected is not null && (i == _plan.CriticalPath.Count - 1 || s.Condition != DependencyCondition.Started))
            .ToList();
        var sum = known.Count == 0 ? "" : $"  about {DurationWords.Of(known.Aggregate(TimeSpan.Zero, (t, s) => t + s.Expected!.Value))}";
        var table = new TextTable(_options.Width, 2);
        table.Add(string.Join(" → ", steps) + Dim(sum));
        table.Print(_text);
    }

    private static string Step(CriticalStep step, bool last)
    {
        var condition = step.Condition switch
        {
            DependencyCondition.Started => "started",
            DependencyCondition.Healthy => "healthy",
            DependencyCondition.CompletedSuccessfully => "completed",
        };
        var took = step.Expected is { } expected ? $"{condition}, {DurationWords.Of(expected)}" : condition;
        return last && step.Expected is null && step.Condition == DependencyCondition.Started ? step.Service.Value : $"{step.Service} ({took})";
    }

    private void PrintChanges()
    {
        if (_plan.Changes.Count == 0) return;
        Title("changes");
        var table = new TextTable(_options.Width, 2);
        foreach (var change in _plan.Changes.Where(c => c.Kind != ChangeKind.Keep))
        {
            var (sign, verb) = change.Kind switch
            {
                ChangeKind.Start => ("+", "start"),
                ChangeKind.Restart => ("~", "restart"),
                ChangeKind.Scale => ("~", "scale"),
                ChangeKind.Keep => ("=", "keep"),
                ChangeKind.Stop => ("-", "stop"),
            };
            table.Add($"{sign} {verb}", Marked(change.Service), Ports(change.Service), change.Reason);
        }

        table.Print(_text);
        var waiting = _plan.Changes.Where(c => c is { Kind: ChangeKind.Keep, Reason: Changes.OnRequest }).Select(c => Marked(c.Service)).ToList();
        if (waiting.Count > 0) Wrapped($"= {Words.Plain(waiting)} {(waiting.Count == 1 ? "starts" : "start")} on request", 2);
        var kept = _plan.Changes.Count(c => c.Kind == ChangeKind.Keep) - waiting.Count;
        if (kept > 0) Wrapped($"= {Words.Count(kept, "service")} {(kept == 1 ? "stays as it is" : "stay as they are")}", 2);
    }

    private void PrintStandIns()
    {
        var standIns = _plan.Local.Where(s => s.StandIn is not null).OrderBy(s => s.Name).ToList();
        if (standIns.Count == 0) return;
        Title("stand-ins (marked *)");
        var table = new TextTable(_options.Width, 2);
        foreach (var service in standIns) table.Add(Marked(service.Name), service.StandIn!);
        table.Print(_text);
    }

    private void PrintNotEnforced()
    {
        var services = _plan.Local.Where(s => s.NotEnforced.Count > 0).OrderBy(s => s.Name).ToList();
        if (services.Count == 0) return;
        Title("not enforced here");
        var table = new TextTable(_options.Width, 2);
        foreach (var service in services)
        {
            foreach (var gap in service.NotEnforced) table.Add(service.Name.Value, gap);
        }

        table.Print(_text);
    }

    private void PrintGpus()
    {
        if (_plan.Gpus.Count == 0) return;
        Title("GPUs");
        var table = new TextTable(_options.Width, 2);
        foreach (var gpu in _plan.Gpus)
        {
            var holders = gpu.Holders.Select(h => h.Memory is { } budget ? $"{h.Owner} {budget}" : h.Owner);
            var use = gpu.Holders.Count == 0 ? "free" : $"{gpu.Share}: {string.Join(", ", holders)}";
            if (gpu is { Memory: { } memory, Share: not null and not "whole" })
            {
                var left = memory.Bytes - gpu.Holders.Sum(h => h.Memory?.Bytes ?? 0);
                use += left > 0 ? $"; {new ByteSize(left)} left" : "; nothing left";
            }

            table.Add(
                $"{(gpu.Host is { } host && _plan.Host is null ? $"{host} " : "")}{gpu.Index}",
                gpu.Model,
                gpu.Memory?.ToString() ?? "",
                use + (gpu.IsPresent ? "" : " (not in this machine)"));
        }

        table.Print(_text);
    }

    private void PrintDiagnostics()
    {
        PrintDiagnostics("refused", Severity.Error);
        PrintDiagnostics("warnings", Severity.Warning);
    }

    private void PrintDiagnostics(string title, Severity severity)
    {
        var found = _plan.Diagnostics.Where(d => d.Severity == severity).ToList();
        if (found.Count == 0) return;
        Title(title);
        foreach (var diagnostic in found)
        {
            Wrapped($"{diagnostic.Where}: {diagnostic.Code.Id}: {diagnostic.Message}", 2, 4);
            if (diagnostic.Hint is { } hint) Wrapped($"hint: {hint}", 4, 4);
        }
    }

    private string Marked(ServiceName name)
    {
        if (!_plan.Services.TryGetValue(name, out var service)) return name.Value;
        var replicas = service.Replicas.Count == 1 ? "" : $"×{service.Replicas.Count}";
        return $"{name}{replicas}{(service.StandIn is null ? "" : "*")}";
    }

    private string Ports(ServiceName name)
    {
        if (!_plan.Services.TryGetValue(name, out var service)) return "";
        var ports = service.Replicas.SelectMany(r => r.Ports).Where(p => p.Published != 0)
            .Select(p => p.Protocol == "tcp" ? $":{p.Published}" : $":{p.Published}/{p.Protocol}").Distinct().ToList();
        return ports.Count <= 3 ? string.Join(" ", ports) : $"{ports[0]} … {ports[^1]}";
    }

    private void Title(string title) => _text.Append('\n').Append(Bold(title)).Append('\n');

    private void Wrapped(string text, int indent = 0, int hanging = -1)
    {
        var further = hanging < 0 ? indent : hanging;
        var next = indent;
        foreach (var line in TextTable.Wrap(text, Math.Max(20, _options.Width - further)))
        {
            _text.Append(' ', next).Append(line).Append('\n');
            next = further;
        }
    }

    private string Bold(string text) => _options.Ansi ? $"\e[1m{text}\e[0m" : text;

    private string Dim(string text) => _options.Ansi && text.Length > 0 ? $"\e[2m{text}\e[0m" : text;
}
