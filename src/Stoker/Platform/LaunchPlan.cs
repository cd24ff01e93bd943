namespace Stoker.Platform;

/// <summary>What is really exec'd for a request: the program itself, or a chain of util-linux tools that ends in it.</summary>
/// <param name="Arguments">argv[1..].</param>
/// <param name="SwitchesUser">The launching thread becomes the user; false where the chain does.</param>
internal sealed record LaunchPlan(string Executable, IReadOnlyList<string> Arguments, bool SwitchesUser, bool NeedsOwnThread)
{
    /// <summary>Null with the refusal where the request cannot be met here.</summary>
    public static LaunchPlan? For(LaunchRequest request, out LaunchOutcome.Refused? refused)
    {
        refused = null;
        var switches = request.User is { } user
            && (user.UserId != Libc.EffectiveUser() || user.GroupId != Libc.EffectiveGroup() || Libc.EffectiveUser() == 0);
        var needsThread = switches || request.Umask is not null || request.Nice is not null;
        if (request.Limits.Count == 0)
        {
            return new LaunchPlan(request.Executable, request.Arguments, switches, needsThread);
        }

        refused = LaunchChecks.Limits(request.Limits) ?? LaunchChecks.Program(request);
        var chain = refused is null ? Chain(request, switches, out refused) : null;
        return chain is null ? null : new LaunchPlan(chain[0], chain[1..], SwitchesUser: false, needsThread);
    }

    /// <summary>
    /// <c>prlimit --nofile=1024:4096 -- setpriv --reuid=65534 --regid=65534 --clear-groups -- PROGRAM ARGUMENTS</c>: the
    /// user comes after the limits, because raising one takes root.
    /// </summary>
    private static List<string>? Chain(LaunchRequest request, bool switches, out LaunchOutcome.Refused? refused)
    {
        var chain = new List<string>();
        refused = AddTool(chain, "prlimit", "limits are declared");
        chain.AddRange(request.Limits.Select(limit => $"--{limit.Name}={ResourceLimit.Text(limit.Soft)}:{ResourceLimit.Text(limit.Hard)}"));
        chain.Add("--");
        if (switches && request.User is { } user)
        {
            refused ??= AddTool(chain, "setpriv", "limits are declared together with a user");
            chain.Add($"--reuid={user.UserId}");
            chain.Add($"--regid={user.GroupId}");
            chain.Add(user.Groups.Count == 0 ? "--clear-groups" : $"--groups={string.Join(',', user.Groups)}");
            chain.Add("--");
        }

        chain.Add(request.Executable);
        chain.AddRange(request.Arguments);
        return refused is null ? chain : null;
    }

    private static LaunchOutcome.Refused? AddTool(List<string> chain, string tool, string reason)
    {
        if (Executables.Find(tool, Environment.GetEnvironmentVariable("PATH"), "/") is not { } path)
        {
            return new LaunchOutcome.Refused(
                LaunchRefusal.Unsupported, $"{reason}, and `{tool}` (package util-linux) is not on the daemon's PATH");
        }

        chain.Add(path);
        return null;
    }
}
