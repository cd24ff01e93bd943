using Stoker.Diagnostics;
using Stoker.Hosts.Layers;
using Stoker.Platform;
using Stoker.Tests.Hosts.Checks;
using Xunit;

namespace Stoker.Tests.Hosts.Layers;

/// <summary>A directory that layers change, with a journal beside it. Owners are the caller's, so that no root is needed.</summary>
internal sealed class LayerBed : IDisposable
{
    private readonly string _place = Directory.CreateTempSubdirectory("stoker-layers-").FullName;

    public LayerBed() => Directory.CreateDirectory(Root);

    public string Root => $"{_place}/root";

    public string JournalDirectory => $"{_place}/journal";

    public string User { get; } = Users.NameOf(HostEnvironment.UserId);

    public string Group { get; } = Users.GroupNameOf(HostEnvironment.GroupId);

    public LayerDoors Doors { get; } = new(CheckBed.Here);

    public LayerJournal Journal => LayerJournal.Open(JournalDirectory, TimeProvider.System);

    public LayerStep File(string name, string content, int mode = 0x1A4) => new LayerStep.File($"{Root}/{name}", content, null, User, Group, mode, IsSecret: false);

    public LayerStep Folder(string name, int mode = 0x1ED) => new LayerStep.Directory($"{Root}/{name}", User, Group, mode);

    public LayerStep Gone(string name) => new LayerStep.NoFile($"{Root}/{name}");

    public static LayerStep.Command Command(string run, string? unless = null, string? undo = null) =>
        new(["sh", "-c", run], unless is null ? null : ["sh", "-c", unless], undo is null ? null : ["sh", "-c", undo], TimeSpan.FromMinutes(1));

    public static LayerSpec Layer(string name, params LayerStep[] steps) => new(name, SourcePosition.Whole("stoker.yaml")) { Apply = steps };

    public LayerOutcome Apply(LayerSpec layer, Action<string>? report = null) =>
        new LayerRun(Doors, TimeProvider.System).ApplyAsync(layer, Journal, report ?? (_ => { }), TestContext.Current.CancellationToken).GetAwaiter().GetResult();

    public RollbackOutcome Rollback(params LayerSpec[] layers) =>
        new LayerRollback(Doors, Journal).MakeAsync([.. layers.Select(l => l.Name).Reverse()], layers, (_, _) => { }).GetAwaiter().GetResult();

    /// <summary>Every entry with its kind, mode and content.</summary>
    public string Picture() => string.Join('\n', Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Order().Select(path => $"{path[Root.Length..]} {FileImage.Look(path)} {FileImage.Look(path).Content}"));

    public void Write(string name, string content, int mode = 0x180)
    {
        var path = $"{Root}/{name}";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, content);
        System.IO.File.SetUnixFileMode(path, (UnixFileMode)mode);
    }

    public void Dispose() => Directory.Delete(_place, recursive: true);
}
