using Stoker.Runtimes;
using Stoker.Tests.Platform;
using Xunit;

namespace Stoker.Tests.Runtimes;

public sealed class ContainerToolTests : IDisposable
{
    private readonly Workshop _workshop = new();
    private readonly Stopped _time = new();

    [Fact]
    public void A_podman_that_works_is_taken_before_docker()
    {
        Install("podman", "echo overlay");
        Install("docker", "echo 28");
        Assert.Equal(("podman", _workshop.PathOf("podman")), (Find<ContainerToolAnswer.Usable>().Tool.Name, Find<ContainerToolAnswer.Usable>().Tool.Executable));
    }

    [Fact]
    public void Docker_without_its_engine_is_installed_but_cannot_be_used()
    {
        Install("docker", "echo Cannot connect to the Docker daemon >&2; exit 1");
        Assert.Equal("docker is installed, but its engine does not answer: Cannot connect to the Docker daemon", Find<ContainerToolAnswer.Unusable>().Why);
    }

    [Fact]
    public void Both_reasons_are_told_when_neither_works()
    {
        Install("podman", "echo no storage >&2; exit 125");
        Install("docker", "exit 1");
        Assert.Equal(
            "podman is installed, but does not work: no storage; docker is installed, but its engine does not answer: exited with 1", Find<ContainerToolAnswer.Unusable>().Why);
    }

    [Fact]
    public void A_docker_that_works_is_taken_where_podman_does_not()
    {
        Install("podman", "exit 1");
        Install("docker", "[ \"$1\" = version ] && echo 28");
        Assert.Equal("docker", Find<ContainerToolAnswer.Usable>().Tool.Name);
    }

    [Fact]
    public void An_answer_holds_for_seconds_and_not_for_ever()
    {
        var check = new ContainerToolCheck(_time);
        Assert.IsType<ContainerToolAnswer.NotInstalled>(check.Find(Path()));
        Install("podman", "true");
        _time.Elapsed = TimeSpan.FromSeconds(5);
        Assert.IsType<ContainerToolAnswer.NotInstalled>(check.Find(Path()));
        _time.Elapsed = TimeSpan.FromSeconds(11);
        Assert.IsType<ContainerToolAnswer.Usable>(check.Find(Path()));
    }

    public void Dispose() => _workshop.Dispose();

    private T Find<T>() => Assert.IsType<T>(new ContainerToolCheck(_time).Find(Path()));

    private Dictionary<string, string> Path() => new() { ["PATH"] = _workshop.Root };

    private void Install(string name, string script)
    {
        File.WriteAllText(_workshop.PathOf(name), $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(_workshop.PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private sealed class Stopped : TimeProvider
    {
        public TimeSpan Elapsed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
