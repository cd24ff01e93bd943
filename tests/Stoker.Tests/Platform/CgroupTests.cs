using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class CgroupTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task A_group_holds_what_a_workload_forked_before_and_after_it_moved_and_kills_it_all()
    {
        var tree = OpenTree();
        try
        {
            var group = tree.Create("web.1");
            var file = _workshop.PathOf("pids");
            var sleeper = $"setsid sh -c \"echo \\$\\$ >> {file}; exec sleep 100\"";
            var go = _workshop.PathOf("go");
            var root = _workshop.Launch($"{sleeper} & while [ ! -e {go} ]; do sleep 0.01; done; ({sleeper} &); exec sleep 100");
            await Workshop.Until(() => File.Exists(file) && File.ReadAllLines(file).Length == 1);

            Assert.True(group.Add(root.Pid));
            await File.WriteAllTextAsync(go, "");
            await Workshop.Until(() => File.ReadAllLines(file).Length == 2);

            var pids = File.ReadAllLines(file).Select(int.Parse).Append(root.Pid);
            await Workshop.Until(() => pids.All(group.Members().Contains));
            Assert.True(group.IsPopulated);
            Assert.False(group.TryRemove());
            Assert.Equal([group.Path], tree.Groups().Select(found => found.Path));

            Assert.True(group.Kill());

            Assert.Equal(ExitStatus.Killed(Signals.Kill), await Workshop.End(root));
            await Workshop.Until(() => !group.IsPopulated);
            await Workshop.Until(group.TryRemove);
            Assert.Empty(tree.Groups());
        }
        finally
        {
            tree.Groups().ToList().ForEach(group => group.Kill());
            await Workshop.Until(tree.TryRemove);
        }
    }

    [Fact]
    public void A_process_that_is_gone_is_not_moved()
    {
        var tree = OpenTree();
        try
        {
            Assert.False(tree.Create("gone").Add(int.MaxValue - 1));
        }
        finally
        {
            Assert.True(tree.TryRemove());
        }
    }

    [Fact]
    public void A_limit_whose_controller_is_absent_is_said_not_skipped()
    {
        var tree = OpenTree();
        try
        {
            var support = Assert.IsType<CgroupSupport.Available>(Cgroups.Open(Path.GetExtension(tree.Path)[1..]));
            var problems = tree.Create("limited").Apply(new CgroupLimits(Cpus: 0.5, MemoryMax: 1 << 26, ProcessesMax: 10));

            Assert.Equal(new[] { "cpu", "memory", "pids" }.Count(name => !support.Controllers.Contains(name)), problems.Count);
            Assert.Equal(support.Controllers.Contains("cpu"), support.Missing == "" || !support.Missing.Contains("cpu,"));
        }
        finally
        {
            Assert.True(tree.TryRemove());
        }
    }

    [Fact]
    public void Limits_are_written_as_the_kernel_reads_them() => Assert.Equal(
        [
            ("cpu", "cpu.max", "150000 100000"), ("cpu", "cpu.weight", "50"), ("memory", "memory.high", "900"), ("memory", "memory.max", "1000"),
            ("pids", "pids.max", "7"),
        ],
        new CgroupLimits(Cpus: 1.5, MemoryMax: 1000, MemoryHigh: 900, ProcessesMax: 7, CpuWeight: 50).Writes());

    [Theory]
    [InlineData("0::/", "/", "/sys/fs/cgroup", "/sys/fs/cgroup")]
    [InlineData("3:cpu:/x\n0::/system.slice/stoker.service\n", "/", "/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/stoker.service")]
    [InlineData("0::/docker/abc/inner", "/docker/abc", "/sys/fs/cgroup", "/sys/fs/cgroup/inner")]
    [InlineData("0::/../outside", "/", "/sys/fs/cgroup", null)]
    [InlineData("5:memory:/x", "/", "/sys/fs/cgroup", null)]
    public void The_own_group_is_found_below_the_mount(string groups, string root, string mount, string? expected) =>
        Assert.Equal(expected, Cgroups.OwnGroup(groups, (root, mount)));

    [Fact]
    public void The_version_2_mount_is_found_beside_version_1()
    {
        const string mounts = """
            25 20 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
            27 25 0:24 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
            26 25 0:23 / /sys/fs/cgroup/my\040own rw,relatime shared:5 master:1 - cgroup2 cgroup2 rw
            """;

        Assert.Equal(("/", "/sys/fs/cgroup/my own"), Cgroups.FindMount(mounts));
        Assert.Null(Cgroups.FindMount(mounts.Replace("cgroup2", "cgroup")));
    }

    private static CgroupTree OpenTree()
    {
        var support = Cgroups.Open("test-" + Guid.NewGuid().ToString("N"));
        if (support is CgroupSupport.Unavailable { Reason: var reason })
        {
            Assert.Skip("no control group can be made here: " + reason);
        }

        return ((CgroupSupport.Available)support).Tree;
    }
}
