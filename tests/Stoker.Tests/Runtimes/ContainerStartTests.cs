using System.Diagnostics;
using Stoker.Runtimes;
using Xunit;

namespace Stoker.Tests.Runtimes;

public sealed class ContainerStartTests
{
    [Fact]
    public async Task Replicas_that_begin_together_write_one_file_together()
    {
        var place = Directory.CreateTempSubdirectory("stoker-start-");
        var file = Path.Combine(place.FullName, "Dockerfile.web");
        var text = new string('x', 100_000);
        var arguments = ContainerStep.ToArguments([ContainerStep.Write(file, text), ContainerStep.Run(["/bin/true"])]);
        try
        {
            var replicas = Enumerable.Range(0, 12).Select(_ => Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "stoker"), [ContainerStart.Verb, .. arguments]) { RedirectStandardError = true })!).ToList();
            foreach (var replica in replicas)
            {
                var said = await replica.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
                await replica.WaitForExitAsync(TestContext.Current.CancellationToken);
                Assert.True(replica.ExitCode == 0, said);
                replica.Dispose();
            }

            Assert.Equal(text, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            Assert.Equal([file], Directory.GetFiles(place.FullName));
        }
        finally
        {
            place.Delete(recursive: true);
        }
    }
}
