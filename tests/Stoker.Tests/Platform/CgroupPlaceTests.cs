using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class CgroupPlaceTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("stoker-groups-").FullName;

    public CgroupPlaceTests() => File.WriteAllText(Path.Combine(_root, "cgroup.procs"), "1\n2\n");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Root_takes_the_root_of_the_hierarchy_from_whatever_login_it_comes()
    {
        var session = Group("session-1.scope", 1, 2);

        Assert.Equal(new CgroupPlace(_root, IsKernelRoot: true, Obstacle: null), CgroupPlace.Choose(session, _root, isRootUser: true));
    }

    [Fact]
    public void A_group_shared_with_others_tracks_and_does_not_limit()
    {
        var session = Group("session-1.scope", Environment.ProcessId, 2);

        var place = CgroupPlace.Choose(session, _root, isRootUser: false)!;

        Assert.Equal(session, place.Path);
        Assert.Equal($"`{session}` holds other processes beside the daemon", place.Obstacle);
    }

    [Fact]
    public void A_daemon_alone_in_its_group_limits_there_also_after_it_has_moved_to_the_leaf()
    {
        var own = Group("stoker.service", Environment.ProcessId);
        var leaf = Group("stoker.service/stoker-daemon", Environment.ProcessId);

        var place = new CgroupPlace(own, IsKernelRoot: false, Obstacle: null);
        Assert.Equal(place, CgroupPlace.Choose(own, _root, isRootUser: false));
        Assert.Equal(place, CgroupPlace.Choose(leaf, _root, isRootUser: false));
    }

    [Fact]
    public void In_a_container_whose_root_holds_others_root_falls_back_to_its_own_group()
    {
        File.WriteAllText(Path.Combine(_root, "cgroup.type"), "domain\n");
        var own = Group("own", Environment.ProcessId);

        Assert.Equal(own, CgroupPlace.Choose(own, _root, isRootUser: true)!.Path);
        Assert.Equal(_root, CgroupPlace.Choose(_root, _root, isRootUser: true)!.Path);
    }

    [Fact]
    public void Where_nothing_may_be_written_there_is_no_place() => Assert.Null(CgroupPlace.Choose("/nowhere/own", "/nowhere", isRootUser: true));

    private string Group(string name, params int[] pids)
    {
        var path = Path.Combine(_root, name);
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "cgroup.type"), "domain\n");
        File.WriteAllText(Path.Combine(path, "cgroup.procs"), string.Concat(pids.Select(pid => $"{pid}\n")));
        return path;
    }
}
