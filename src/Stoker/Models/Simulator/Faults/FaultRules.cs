using System.Text;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Faults;

/// <summary>The rules that are set, and which one a request meets: the first that is for it. Thread-safe.</summary>
internal sealed class FaultRules(long seed)
{
    private readonly Lock access = new();
    private Chance chance = new((ulong)seed);
    private List<FaultRule> rules = [];

    public IReadOnlyList<FaultRule> All
    {
        get
        {
            lock (access) return [.. rules];
        }
    }

    public void Set(List<FaultRule> those)
    {
        lock (access) rules = those;
    }

    /// <summary>Whether anything is set, without the lock.</summary>
    public bool IsEmpty => Volatile.Read(ref rules).Count == 0;

    public FaultSpec? For(ReadOnlySpan<byte> path, string? model)
    {
        lock (access)
        {
            foreach (var rule in rules)
            {
                if (!path.StartsWith(rule.Path is { } own ? Encoding.UTF8.GetBytes(own) : "/v1/"u8)) continue;
                if ((rule.Model is not null && rule.Model != model) || rule.Left == 0) continue;
                if (rule.Rate < 1 && chance.NextDouble() >= rule.Rate) continue;
                if (rule.Left > 0) rule.Left--;
                return rule.Fault;
            }
        }

        return null;
    }
}
