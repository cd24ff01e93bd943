using Stoker.Diagnostics;
using Stoker.Platform;
using Stoker.Platform.Sqlite;

namespace Stoker.Keys;

/// <summary>What the daemon does with declared keys at each apply, before anything starts.</summary>
internal static class KeyApply
{
    /// <summary>Puts all keys that the file declares into the database, and ends those that it declares no more.</summary>
    /// <param name="keys">The gateway's and the streams'.</param>
    /// <param name="variables">The daemon's environment.</param>
    /// <param name="directory">The state directory.</param>
    /// <param name="where">For what is no key's fault.</param>
    public static void Declare(
        IReadOnlyList<DeclaredKeySpec> keys, IReadOnlyDictionary<string, string> variables, string directory, DateTimeOffset now, SourcePosition where, DiagnosticBag bag)
    {
        var found = DeclaredKeyReader.Resolve(keys, variables, bag);
        if (bag.HasErrors) return;
        try
        {
            using var store = KeyStore.Open(Path.Combine(directory, KeyStore.FileName));
            DeclaredKeyReader.Report(store.Declare(found, now, SecureRandomness.Fill), keys, bag);
        }
        catch (SqliteFailedException failed)
        {
            bag.Add(KeyDiagnostics.Unreadable, where, $"the keys cannot be kept: {failed.Message}");
        }
    }
}
