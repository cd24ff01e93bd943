using System.Net;

namespace Stoker.Gateway;

/// <summary>
/// Where the hosts are that replicas are declared by. Names are looked up beside the requests, again and again: hosts move, and a resolver may not be there yet when a machine
/// starts. A name keeps its address while that is among the answers and somebody answers there, and while nobody can say another. One caller at a time.
/// </summary>
internal sealed class HostAddresses(Func<string, Task<IPAddress[]>> lookUp, TimeProvider clock, Action<string> say)
{
    /// <summary>How long an answer holds, and until the next question where there is no address yet, or nobody answers at it.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30), Again = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Host> _hosts = [];

    /// <summary>Ends with all questions that are under way.</summary>
    public Task Answered => Task.WhenAll(_hosts.Values.Select(h => h.Answer).OfType<Task>());

    /// <summary>By the system's own name service.</summary>
    public static async Task<IPAddress[]> BySystem(string name) => await Dns.GetHostAddressesAsync(name);

    /// <summary>Of one that is not known, an address that refuses every connection at once: what is declared there counts as what it is, not there.</summary>
    public IPAddress Of(string host) => IPAddress.TryParse(host, out var address) ? address : _hosts.GetValueOrDefault(host)?.Address ?? IPAddress.None;

    /// <summary>Begins to ask for those that are due; what is declared no more is forgotten.</summary>
    /// <param name="hosts">All that are declared, names and addresses.</param>
    /// <param name="isWell">Somebody answers there.</param>
    public void Ask(IReadOnlySet<string> hosts, Func<string, bool> isWell)
    {
        foreach (var gone in _hosts.Keys.Where(name => !hosts.Contains(name)).ToList()) _hosts.Remove(gone);
        foreach (var name in hosts.Where(host => !IPAddress.TryParse(host, out _)))
        {
            if (!_hosts.TryGetValue(name, out var host)) _hosts[name] = host = new Host();
            host.IsWell = host.Address is not null && isWell(name);
            var pace = host.IsWell ? Fresh : Again;
            if (host.Answer is null && (host.AskedAt is not { } at || clock.GetElapsedTime(at) >= pace)) (host.Answer, host.AskedAt) = (lookUp(name), clock.GetTimestamp());
        }
    }

    /// <summary>Takes what has been answered.</summary>
    /// <returns>Some address is another one now.</returns>
    public bool Take()
    {
        var hasChanged = false;
        foreach (var (name, host) in _hosts)
        {
            if (host.Answer is not { IsCompleted: true } answer) continue;
            host.Answer = null;
            hasChanged |= Take(name, host, answer);
        }

        return hasChanged;
    }

    private bool Take(string name, Host host, Task<IPAddress[]> answer)
    {
        if (answer is not { IsCompletedSuccessfully: true, Result: { Length: > 0 } found })
        {
            var why = answer.Exception?.InnerException?.Message ?? "it has no address";
            if (host.Trouble != why) say($"warning: the name `{name}` cannot be resolved: {why}{(host.Address is { } last ? $"; {last} stays in use" : "")}");
            host.Trouble = why;
            return false;
        }

        host.Trouble = null;
        var before = host.Address;
        var at = before is null ? -1 : Array.IndexOf(found, before);
        if (at >= 0 && (host.IsWell || found.Length == 1)) return false;
        host.Address = found[(at + 1) % found.Length];
        if (at < 0) say(before is null ? $"`{name}` is at {host.Address}" : $"`{name}` is at {host.Address} now, and no longer at {before}");
        return true;
    }

    private sealed class Host
    {
        public IPAddress? Address { get; set; }

        /// <summary>Null: no question is under way.</summary>
        public Task<IPAddress[]>? Answer { get; set; }

        public long? AskedAt { get; set; }

        public bool IsWell { get; set; }

        /// <summary>Why the last question had no answer; told once.</summary>
        public string? Trouble { get; set; }
    }
}
