using Xunit;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;

namespace Stoker.Tests.Planning;

/// <summary>Shortens the tests of the planner: estates in, plans and their diagnostics out.</summary>
internal static class Plans
{
    /// <summary>A machine on which every command is installed, unless <paramref name="missing"/> names it.</summary>
    public static Observed Machine(EstateSpec estate, params string[] missing) => new()
    {
        Executables = CommandWords.ToLookUp(estate).ToDictionary(w => w, w => missing.Contains(w) ? null : $"/usr/bin/{w}"),
        Cpus = 8,
        Memory = EstateBuilder.GiB(64),
        CgroupControllers = new HashSet<string> { "cpu", "memory", "pids" },
        IsRoot = true,
    };

    public static EstatePlan Plan(EstateBuilder builder, PlanRequest? request = null, Func<Observed, Observed>? observed = null)
    {
        var estate = builder.Build();
        var machine = Machine(estate);
        return Planner.Plan(estate, request ?? new PlanRequest(), observed?.Invoke(machine) ?? machine);
    }

    /// <summary>The only diagnostic of this kind.</summary>
    public static Diagnostic Only(this EstatePlan plan, DiagnosticCode code) => Assert.Single(plan.Diagnostics, d => d.Code == code);

    public static void HasNone(this EstatePlan plan, DiagnosticCode code) => Assert.DoesNotContain(plan.Diagnostics, d => d.Code == code);

    public static void IsClean(this EstatePlan plan) => Assert.Empty(plan.Diagnostics.Select(d => d.ToString()));

    public static ServicePlan Of(this EstatePlan plan, string service) => plan.Services[new ServiceName(service)];

    public static ServiceChange Change(this EstatePlan plan, string service) => Assert.Single(plan.Changes, c => c.Service.Value == service);

    public static string WavesText(this EstatePlan plan) => string.Join(" | ", plan.Waves.Select(w => string.Join(' ', w)));

    public static string PathText(this EstatePlan plan) => string.Join(" → ", plan.CriticalPath.Select(s => s.Service));

    public static IReadOnlySet<string> Set(params string[] values) => values.ToHashSet();

    public static ServiceName[] Names(params string[] values) => [.. values.Select(v => new ServiceName(v))];

    public static GpuFact Real(int index, string model, double gib) => new(index, $"GPU-{index}", model, EstateBuilder.GiB(gib));
}
