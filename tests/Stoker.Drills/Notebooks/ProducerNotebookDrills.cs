using System.Diagnostics;
using System.Text.Json;
using Stoker.Drills.Shared;
using Stoker.Drills.Streams;
using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Notebooks;

/// <summary>The producer's notebook, executed by Jupyter with Debian's PyTorch, against a real stream.</summary>
public sealed class ProducerNotebookDrills
{
    private const string Jupyter = "/usr/bin/jupyter-nbconvert", Python = "/usr/bin/python3";

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Every_cell_runs_and_what_it_posts_is_stored_once_however_often_it_runs()
    {
        SkipWithoutTools();
        await using var box = new StreamBox(change: plan => plan with { Dimension = 64 });
        await box.UpAsync();
        using var relay = new CuttingRelay(int.Parse(box.Plan.Listen.Split(':')[1]));
        // The first answer is lost on its way: what the stream has taken is sent again.
        relay.CutsAnswer = true;
        for (var round = 0; round < 2; round++) await ExecuteAsync($"http://127.0.0.1:{relay.Port}/metadata");
        await box.SettledAsync();

        var documents = box.Documents();
        Assert.Equal(3, documents.Count);
        Assert.All(documents, document =>
        {
            Assert.Equal(64 * sizeof(float), document.Embedding.Length);
            var facts = JsonDocument.Parse(document.Json).RootElement.GetProperty("gpu_hardware");
            Assert.Matches(@"^\d+\.\d+", facts.GetProperty("pytorch_version").GetString());
            Assert.NotEqual("", facts.GetProperty("device_name").GetString());
        });
        Assert.Equal("notebook://drill", documents.Select(document => document.Source).Distinct().Single());
        Assert.True((long)(await box.StatusAsync())["partitions"]!.AsArray().Sum(partition => (long)partition!["next"]!) > 3, "nothing was sent twice");
    }

    private static async Task ExecuteAsync(string stream)
    {
        var directory = Directory.CreateTempSubdirectory("stoker-notebook-").FullName;
        try
        {
            var start = new ProcessStartInfo(Python, [Jupyter, "--to", "notebook", "--execute", "--ExecutePreprocessor.timeout=240", "--output-dir", directory, Path.Combine(Machine.Repository, "notebooks", "producer.ipynb")])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            };
            foreach (var (name, value) in new[] { ("STREAM_URL", stream), ("SOURCE_URI", "notebook://drill"), ("EMBEDDING_DIM", "64"), ("HOME", directory), ("PATH", "/usr/bin:/bin") }) start.Environment[name] = value;
            using var process = Process.Start(start)!;
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5));
            Assert.True(process.ExitCode == 0, $"{await output}\n{await errors}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void SkipWithoutTools()
    {
        Assert.SkipUnless(File.Exists(Jupyter) && File.Exists(Python), "jupyter-nbconvert is not installed");
        using var look = Process.Start(new ProcessStartInfo(Python, ["-c", "import torch, ipykernel"]) { RedirectStandardError = true })!;
        look.WaitForExit();
        Assert.SkipUnless(look.ExitCode == 0, "python3-torch or python3-ipykernel is not installed");
    }
}
