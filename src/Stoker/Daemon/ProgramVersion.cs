using System.Reflection;

namespace Stoker.Daemon;

/// <summary>The version of this program.</summary>
internal static class ProgramVersion
{
    /// <summary><c>0.1.0+abcdef123456</c>: the version and the commit it was built from.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
