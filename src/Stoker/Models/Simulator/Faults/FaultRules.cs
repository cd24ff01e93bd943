using System.Text;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Faults;

/// <summary>The rules that are set, and which one a request meets: the first that is for it. Thread-safe.</summary>
internal sealed class FaultRules(long seed)
{
    private readonly Lock _access = new();
    private Chance _chance = new((ulong)seed);
    private List<FaultRule> _rules = [];

    public IReadOnlyList<FaultRule> All
    {
        get
        {
            lock (_access) return [.. _rules];
        }
    }

    public void Set(List<FaultRule> those)
    {
        lock (_access) _rules = those;
    }

    /// <summary>Whether anything is set, without the lock.</summary>
    public bool IsEmpty => Volatile.Read(ref _rules).Count == 0;

    public FaultSpec? For(ReadOnlySpan<byte> path, string? model)
    {
        lock (_access)
        {
            foreach (var rule in _rules)
            {
                if (!path.StartsWith(rule.Path is { } own ? Encoding.UTF8.GetBytes(own) : "/v1/"u8)) continue;
                if ((rule.Model is not null && rule.Model != model) || rule.Left == 0) continue;
                if (rule.Rate < 1 && _chance.NextDouble() >= rule.Rate) continue;
                if (rule.Left > 0) rule.Left--;
                return rule.Fault;
            }
        }

        return null;
    }
}
