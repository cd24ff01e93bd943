using System.Security.Cryptography;
using Stoker.Diagnostics;
using Stoker.Keys;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Platform.Sqlite;

namespace Stoker.Gateway;

/// <summary>What the daemon does for the gateway at each apply, before anything starts.</summary>
internal static class GatewayApply
{
    /// <summary>Puts the keys that the file declares into the gateway's database, and ends those that it declares no more.</summary>
    /// <param name="variables">The daemon's environment.</param>
    public static void DeclareKeys(EstatePlan plan, IReadOnlyDictionary<string, string> variables, string directory, DateTimeOffset now, DiagnosticBag bag)
    {
        if (plan.Estate.Part<GatewaySpec>() is not { } spec || GatewayPlanner.Of(plan) is null) return;
        var keys = DeclaredKeyReader.Resolve(spec.Keys, variables, bag);
        if (bag.HasErrors) return;
        try
        {
            using var store = KeyStore.Open(Path.Combine(directory, GatewayProcess.KeysFile));
            DeclaredKeyReader.Report(store.Declare(keys, now, RandomNumberGenerator.Fill), spec.Keys, bag);
        }
        catch (SqliteFailedException failed)
        {
            bag.Add(KeyDiagnostics.Unreadable, spec.Where, $"the gateway's keys cannot be kept: {failed.Message}");
        }
    }

    /// <summary>The gateway reads it at its start, and again whenever it changes.</summary>
    public static void WritePlan(EstatePlan plan, string directory)
    {
        if (GatewayPlanner.Of(plan) is not { } gateway) return;
        var (path, json) = (Path.Combine(directory, GatewayProcess.PlanFile), gateway.ToJson());
        if (Files.ReadIfPresent(path) is { } known && known.AsSpan().SequenceEqual(json)) return;
        Files.Replace(path, json);
    }
}
