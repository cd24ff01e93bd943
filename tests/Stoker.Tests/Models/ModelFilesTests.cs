using System.Buffers.Binary;
using System.Text;
using Stoker.Diagnostics;
using Stoker.Models;
using Xunit;

namespace Stoker.Tests.Models;

/// <summary>Whether a model's files are all there, told from small ones that are made here.</summary>
public sealed class ModelFilesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("stoker-models-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_directory_with_all_that_its_index_lists_is_complete()
    {
        Sharded("m", Tensors(100), Tensors(50));
        var complete = Assert.IsType<FilesOutcome.Complete>(Look(At("m")));
        Assert.Equal(Directory.GetFiles(Path.Combine(_root, "m")).Sum(f => new FileInfo(f).Length), complete.Bytes);
        Assert.Equal("2 files of weights, as the index lists them", complete.Why);
    }

    [Fact]
    public void A_file_that_the_index_lists_and_is_not_there_is_named()
    {
        Sharded("m", Tensors(100), null);
        Assert.Contains("model-2-of-2.safetensors", Assert.IsType<FilesOutcome.Incomplete>(Look(At("m"))).Missing);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(90)]
    [InlineData(150)]
    public void A_file_that_was_cut_short_is_named(int cut)
    {
        var whole = Tensors(100);
        Sharded("m", whole, Tensors(50)[..^1]);
        Assert.Contains("shorter than it says: model-2-of-2.safetensors", Assert.IsType<FilesOutcome.Incomplete>(Look(At("m"))).Missing);
        Sharded("n", whole[..Math.Max(0, whole.Length - cut)], Tensors(50));
        Assert.Contains("shorter than it says: model-1-of-2.safetensors", Assert.IsType<FilesOutcome.Incomplete>(Look(At("n"))).Missing);
    }

    [Fact]
    public void Weights_without_a_configuration_are_not_all()
    {
        Write("m/model.safetensors", Tensors(10));
        Assert.Contains("config.json", Assert.IsType<FilesOutcome.Incomplete>(Look(At("m"))).Missing);
    }

    [Fact]
    public void What_is_not_there_is_absent() => Assert.Equal(new FilesOutcome.Absent(Path.Combine(_root, "none")), Look(At("none")));

    [Fact]
    public void A_directory_of_something_else_is_not_known()
    {
        Write("m/pytorch_model.bin", new byte[10]);
        Assert.Equal(10, Assert.IsType<FilesOutcome.Unknown>(Look(At("m"))).Bytes);
    }

    [Fact]
    public void A_GGUF_file_is_told_by_its_header()
    {
        var head = new byte[24];
        "GGUF"u8.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), 3);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(8), 291);
        Write("x.gguf", head);
        Assert.Contains("version 3 with 291 tensors", Assert.IsType<FilesOutcome.Unknown>(Look(At("x.gguf"))).Why);
        Write("y.gguf", head[..10]);
        Assert.IsType<FilesOutcome.Incomplete>(Look(At("y.gguf")));
        Write("z.gguf", Encoding.UTF8.GetBytes("<html>404 not found</html>"));
        Assert.Contains("does not begin", Assert.IsType<FilesOutcome.Incomplete>(Look(At("z.gguf"))).Missing);
    }

    [Fact]
    public void The_cache_of_Hugging_Face_tells_what_is_being_fetched()
    {
        var named = new ModelSpec("m", EngineKind.Vllm, default(SourcePosition)) { Name = "m", Model = "org/tiny" };
        Assert.IsType<FilesOutcome.Absent>(Look(named));
        Write("hub/models--org--tiny/blobs/aa.incomplete", new byte[7]);
        Assert.Contains("1 file is being fetched", Assert.IsType<FilesOutcome.Incomplete>(Look(named)).Missing);
        File.Move(Path.Combine(_root, "hub/models--org--tiny/blobs/aa.incomplete"), Path.Combine(_root, "hub/models--org--tiny/blobs/aa"));
        File.WriteAllBytes(Path.Combine(_root, "hub/models--org--tiny/blobs/aa"), Tensors(10));
        Write("hub/models--org--tiny/refs/main", "abc"u8.ToArray());
        Write("hub/models--org--tiny/snapshots/abc/config.json", "{}"u8.ToArray());
        File.CreateSymbolicLink(Path.Combine(_root, "hub/models--org--tiny/snapshots/abc/model.safetensors"), "../../blobs/aa");
        Assert.IsType<FilesOutcome.Complete>(Look(named));
    }

    [Fact]
    public void Ollamas_manifest_says_how_long_each_layer_is()
    {
        var named = new ModelSpec("m", EngineKind.Ollama, default(SourcePosition)) { Name = "m", Model = "tiny", Path = _root };
        Assert.IsType<FilesOutcome.Absent>(Look(named));
        Write("manifests/registry.ollama.ai/library/tiny/latest", """{"layers":[{"digest":"sha256:aa","size":5},{"digest":"sha256:bb","size":2}]}"""u8.ToArray());
        Write("blobs/sha256-aa", new byte[5]);
        Assert.Contains("1 of 2 layers", Assert.IsType<FilesOutcome.Incomplete>(Look(named)).Missing);
        Write("blobs/sha256-bb", new byte[2]);
        Assert.Equal(7, Assert.IsType<FilesOutcome.Complete>(Look(named)).Bytes);
    }

    private FilesOutcome Look(ModelSpec model) => new ModelFiles(new Dictionary<string, string> { ["HOME"] = _root, ["HF_HUB_CACHE"] = Path.Combine(_root, "hub") }).Look(model);

    private ModelSpec At(string path) => new("m", EngineKind.Vllm, default(SourcePosition)) { Name = "m", Path = Path.Combine(_root, path) };

    private void Sharded(string directory, byte[]? one, byte[]? two)
    {
        Write($"{directory}/config.json", "{}"u8.ToArray());
        Write($"{directory}/model.safetensors.index.json", """{"metadata":{},"weight_map":{"a":"model-1-of-2.safetensors","b":"model-2-of-2.safetensors"}}"""u8.ToArray());
        if (one is not null) Write($"{directory}/model-1-of-2.safetensors", one);
        if (two is not null) Write($"{directory}/model-2-of-2.safetensors", two);
    }

    /// <summary>A safetensors file with one tensor.</summary>
    private static byte[] Tensors(int bytes)
    {
        var header = Encoding.UTF8.GetBytes($$$"""{"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[{{{bytes}}}],"data_offsets":[0,{{{bytes}}}]}}""");
        var file = new byte[8 + header.Length + bytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        return file;
    }

    private void Write(string path, byte[] content)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, content);
    }
}
