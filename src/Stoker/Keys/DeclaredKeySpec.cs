using Stoker.Diagnostics;

namespace Stoker.Keys;

/// <summary>A key that the estate file declares: <c>gateway: keys: NAME:</c>. The file names where its secret is; it never holds it.</summary>
/// <param name="File">Absolute path of the file whose only line is the secret; null when it is in the environment.</param>
/// <param name="Variable">The daemon's environment variable that holds the secret; null when it is in a file.</param>
/// <param name="Expires">When it ends; null: never.</param>
internal sealed record DeclaredKeySpec(string Name, string? File, string? Variable, DateTimeOffset? Expires, KeyTerms Terms, SourcePosition Where);

/// <summary>A declared key whose secret was found: only its hash goes on from here.</summary>
internal sealed record DeclaredKey(string Name, SecretHash Hash, DateTimeOffset? Expires, KeyTerms Terms);

/// <summary>A declared key that clashes with what is in the database.</summary>
internal sealed record DeclaredKeyRefusal(string Name, DeclaredKeyRefusal.Cause Because)
{
    internal enum Cause
    {
        /// <summary><c>stoker key create</c> made a key of this name.</summary>
        NameTaken,

        /// <summary>Another key has this secret, or had it: who uses it must be told apart.</summary>
        SecretTaken,
    }
}
