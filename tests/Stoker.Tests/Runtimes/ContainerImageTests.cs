using Stoker.Estates;
using Stoker.Runtimes;
using Stoker.Tests.Platform;
using Xunit;

namespace Stoker.Tests.Runtimes;

public sealed class ContainerImageTests : IDisposable
{
    private readonly Workshop _workshop = new();

    [Fact]
    public void What_an_image_says_is_read_with_its_times_in_nanoseconds()
    {
        var image = ContainerImage.Read("""{"Test":["CMD-SHELL","curl -f http://localhost/ || exit 1"],"StartPeriod":4000000000,"StartInterval":500000000,"Interval":2000000000,"Timeout":3000000000,"Retries":5}""")!;
        Assert.Equal(["/bin/sh", "-c", "curl -f http://localhost/ || exit 1"], image.Command);
        Assert.Equal((2000, 3000, 5, 4000, 500), (Milliseconds(image.Interval), Milliseconds(image.Timeout), image.Retries, Milliseconds(image.StartPeriod), Milliseconds(image.StartInterval)));
    }

    [Theory]
    [InlineData("""{"Test":["CMD","pg_isready","-q"]}""", "pg_isready -q")]
    [InlineData("""{"Test":["CMD-SHELL","true"]}""" + "\n" + """["/bin/bash","-o","pipefail","-c"]""", "/bin/bash -o pipefail -c true")]
    [InlineData("""{"Test":["CMD","true"]}""" + "\nnull\n", "true")]
    public void Its_test_is_words_with_the_images_own_shell_where_it_wants_one(string answer, string words) =>
        Assert.Equal(words, string.Join(' ', ContainerImage.Read(answer)!.Command!));

    [Theory]
    [InlineData("null\n")]
    [InlineData("null\nnull\n")]
    [InlineData("")]
    [InlineData("<no value>\n<no value>\n")]
    [InlineData("""{"Test":["NONE"]}""")]
    [InlineData("""{"Test":["CMD"]}""")]
    [InlineData("""{"Interval":2000000000}""")]
    public void An_image_without_a_test_has_none(string answer) => Assert.Null(ContainerImage.Read(answer)!.Command);

    [Theory]
    [InlineData("Error: no such image")]
    [InlineData("""{"Test":["CMD""")]
    [InlineData("""{"Test":[1]}""")]
    [InlineData("""{"Test":["CMD","true"],"Interval":"2s"}""")]
    public void What_is_not_understood_is_not_taken_for_none(string answer) => Assert.Null(ContainerImage.Read(answer));

    [Fact]
    public void Times_that_are_zero_are_not_said()
    {
        var image = ContainerImage.Read("""{"Test":["CMD","true"],"Interval":0,"Timeout":0,"Retries":0}""")!;
        Assert.Equal((null, null, null), (image.Interval, image.Timeout, image.Retries));
    }

    [Theory]
    [InlineData("podman", "{{json .HealthCheck}}", """{"Test":["CMD","true"]}""", "true")]
    [InlineData("docker", "{{json .Config.Healthcheck}}\n{{json .Config.Shell}}", """{"Test":["CMD-SHELL","true"]}\n["/bin/ash","-c"]""", "/bin/ash -c true")]
    public async Task The_image_is_that_of_the_container_whatever_its_name_means_by_now(string tool, string template, string answer, string words)
    {
        File.WriteAllText(_workshop.PathOf("template"), template);
        Install(tool,
            $"""
            case "$1 $2 $4" in
            'container inspect web-1') echo sha256:abc ;;
            'image inspect sha256:abc') [ "$3" = "--format=$(cat {_workshop.PathOf("template")})" ] && printf '{answer}\n' ;;
            *) exit 1 ;;
            esac
            """);
        Assert.Equal(words, string.Join(' ', (await ContainerImage.HealthcheckAsync(new ContainerHandle(_workshop.PathOf(tool), "web-1"))).Command!));
    }

    [Fact]
    public async Task A_tool_that_fails_is_quoted()
    {
        Install("podman", "echo 'Error: no such container web-1' >&2; exit 125");
        var problem = await Assert.ThrowsAsync<IOException>(() => ContainerImage.HealthcheckAsync(new ContainerHandle(_workshop.PathOf("podman"), "web-1")));
        Assert.Equal("`podman container inspect` failed: Error: no such container web-1", problem.Message);
    }

    public void Dispose() => _workshop.Dispose();

    private static int Milliseconds(TimeSpan? time) => (int)time!.Value.TotalMilliseconds;

    private void Install(string name, string script)
    {
        File.WriteAllText(_workshop.PathOf(name), $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(_workshop.PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
