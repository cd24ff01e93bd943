using Stoker.Diagnostics;

namespace Stoker.Estates;

/// <summary>
/// The runtime's settings for services that are Stoker's own program and busy from the start, as a gateway and a stream are. What is built into the program is for those that do nearly
/// nothing all day, as a daemon does: little memory, and no second look at its code.
/// </summary>
internal static class BusyRuntime
{
    /// <param name="where">Of what declares the service.</param>
    public static Dictionary<string, Positioned<string?>> Settings(SourcePosition where) => new()
    {
        // Code is hot at once and stays so; what the runtime finds out by profile is worth its while.
        ["DOTNET_TieredPGO"] = new("1", where),
        // Without this the runtime waits for a quiet moment before it makes hot code better, which a loaded process does not have.
        ["DOTNET_TC_CallCountingDelayMs"] = new("0", where),
        // The runtime's own bound: few collections, and nearly all is dead by then.
        ["DOTNET_GCGen0MaxBudget"] = new("0xC800000", where),
    };
}
