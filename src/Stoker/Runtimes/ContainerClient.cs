using System.Globalization;
using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>Short commands about one container that is there, or is not.</summary>
internal static class ContainerClient
{
    private const int RemovalAttempts = 5;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60), FirstLook = TimeSpan.FromMilliseconds(50), SlowestLook = TimeSpan.FromSeconds(1);

    /// <summary>The command that prints the ids of containers of this name with this label; only running ones unless <paramref name="all"/>.</summary>
    public static IReadOnlyList<string> List(ContainerHandle handle, string label, bool all) =>
        [handle.Tool, "container", "ls", all ? "-aq" : "-q", $"--filter=name=^{handle.Name}$", $"--filter=label={label}"];

    /// <summary>Docker kills at once when forced; Podman asks first, unless told to give no time.</summary>
    public static IReadOnlyList<string> Remove(string tool) =>
        Dialects.Of(tool) == ContainerDialect.Docker ? [tool, "container", "rm", "-f", "-v"] : [tool, "container", "rm", "-f", "-v", "-t", "0"];

    public static async Task<bool> IsRunningAsync(ContainerHandle handle, string runId) => (await IdsAsync(handle, runId, all: false)).Count > 0;

    /// <summary>Null when it was sent or there is nothing to send it to; else why not, in words.</summary>
    public static async Task<string?> SignalAsync(ContainerHandle handle, string runId, int signal)
    {
        var outcome = await AskAsync(handle, ["container", "kill", $"--signal={signal.ToString(CultureInfo.InvariantCulture)}", handle.Name]);
        if (outcome.IsSuccess || !await IsRunningAsync(handle, runId)) return null;
        return $"{Signals.Name(signal)} could not be sent to container {handle.Name}: {outcome.Words}";
    }

    /// <summary>The signal that its image or its declaration wants for a stop. Podman answers with a number, Docker with a name, or nothing.</summary>
    public static async Task<int> StopSignalAsync(ContainerHandle handle)
    {
        var outcome = await AskAsync(handle, ["container", "inspect", "--format={{.Config.StopSignal}}", handle.Name]);
        return outcome is ShortCommandOutcome.Ended { Status.IsSuccess: true, Output: var text } && Signals.TryParse(text.Trim(), out var signal) ? signal : Signals.Terminate;
    }

    /// <summary>Returns when it runs: until then its image may be pulled or built, and there is nobody to ask anything.</summary>
    public static async Task UntilRunningAsync(ContainerHandle handle, string runId, TimeProvider clock, CancellationToken cancel)
    {
        for (var delay = FirstLook; ; delay = delay < SlowestLook ? delay * 2 : SlowestLook)
        {
            try
            {
                if (await IsRunningAsync(handle, runId)) return;
            }
            catch (IOException)
            {
                // The tool is busy or out of order; its client, which does the same, ends with the reason.
            }

            await Task.Delay(delay, clock, cancel);
        }
    }

    /// <summary>Returns when it has ended or the token fires.</summary>
    public static Task WaitAsync(ContainerHandle handle, CancellationToken cancel) =>
        ShortCommand.RunAsync(handle.Tool, ["container", "wait", handle.Name], handle.Environment, limit: null, cancel);

    /// <summary>Kills and removes it. False when there was none.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public static async Task<bool> RemoveAsync(ContainerHandle handle, string runId)
    {
        var problem = "";
        for (var attempt = 0; attempt < RemovalAttempts; attempt++)
        {
            var ids = await IdsAsync(handle, runId, all: true);
            if (ids.Count == 0) return attempt > 0;
            // The tool removes it by itself too (--rm): a failure means something only if the container stays.
            problem = (await AskAsync(handle, [.. Remove(handle.Tool).Skip(1), .. ids])).Words;
        }

        throw new IOException($"container {handle.Name} cannot be removed: {problem}");
    }

    /// <summary>Removes the networks that were made for an estate, as <c>down</c> does under Compose; volumes stay. Null, or what went wrong in words.</summary>
    public static async Task<string?> RemoveNetworksAsync(ContainerHandle any, string state)
    {
        var listed = await AskAsync(any, ["network", "ls", "-q", $"--filter=label={ContainerCommand.StateLabel}={state}"]);
        if (listed is not ShortCommandOutcome.Ended { Status.IsSuccess: true, Output: var output }) return $"its networks cannot be listed: {listed.Words}";
        var networks = Words(output);
        if (networks.Length == 0) return null;
        var removed = await AskAsync(any, ["network", "rm", .. networks]);
        return removed.IsSuccess ? null : $"its networks {string.Join(", ", networks)} cannot be removed: {removed.Words}";
    }

    private static string[] Words(string output) => output.Split((char[])['\n', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static async Task<IReadOnlyList<string>> IdsAsync(ContainerHandle handle, string runId, bool all)
    {
        var outcome = await AskAsync(handle, [.. List(handle, $"{ContainerCommand.RunLabel}={runId}", all).Skip(1)]);
        return outcome is ShortCommandOutcome.Ended { Status.IsSuccess: true, Output: var output }
            ? Words(output)
            : throw new IOException($"`{Path.GetFileName(handle.Tool)} container ls` failed: {outcome.Words}");
    }

    private static Task<ShortCommandOutcome> AskAsync(ContainerHandle handle, IReadOnlyList<string> arguments) =>
        ShortCommand.RunAsync(handle.Tool, arguments, handle.Environment, Limit);
}
