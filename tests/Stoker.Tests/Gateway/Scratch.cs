namespace Stoker.Tests.Gateway;

/// <summary>A directory of one test's own.</summary>
internal sealed class Scratch : IDisposable
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("stoker-gateway-").FullName;

    public string At(string name) => Path.Combine(Directory, name);

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
