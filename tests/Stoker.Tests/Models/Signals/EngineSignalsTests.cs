using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Models.Signals;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Models.Signals;

/// <summary>Pages as the engines write them, old and new, to one signal.</summary>
public sealed class EngineSignalsTests
{
    private const string Vllm = """
        # HELP vllm:num_requests_running Number of requests in model execution batches.
        # TYPE vllm:num_requests_running gauge
        vllm:num_requests_running{engine="0",model_name="phi-3-mini"} 3.0
        # TYPE vllm:num_requests_waiting gauge
        vllm:num_requests_waiting{engine="0",model_name="phi-3-mini"} 2.0
        # TYPE vllm:kv_cache_usage_perc gauge
        vllm:kv_cache_usage_perc{engine="0",model_name="phi-3-mini"} 0.4375
        # TYPE vllm:prompt_tokens_total counter
        vllm:prompt_tokens_total{engine="0",model_name="phi-3-mini"} 1.234567e+06
        # TYPE vllm:prompt_tokens_created gauge
        vllm:prompt_tokens_created{engine="0",model_name="phi-3-mini"} 1.7639e+09
        vllm:generation_tokens_total{engine="0",model_name="phi-3-mini"} 98765.0
        vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="2048"} 1.0
        vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="phi-3-mini"} 42.0

        """;

    private const string EarlierVllm = """
        vllm:num_requests_running{model_name="a"} 1.0
        vllm:num_requests_waiting{model_name="a"} 0.0
        vllm:gpu_cache_usage_perc{model_name="a"} 0.25
        vllm:cpu_cache_usage_perc{model_name="a"} 0.9
        """;

    private const string ParallelVllm = """
        vllm:num_requests_running{engine="0",model_name="a"} 4.0
        vllm:num_requests_running{engine="1",model_name="a"} 6.0
        vllm:num_requests_waiting{engine="0",model_name="a"} 0.0
        vllm:num_requests_waiting{engine="1",model_name="a"} 5.0
        vllm:gpu_cache_usage_perc{engine="0",model_name="a"} 0.5
        vllm:gpu_cache_usage_perc{engine="1",model_name="a"} 0.5
        vllm:kv_cache_usage_perc{engine="0",model_name="a"} 0.2
        vllm:kv_cache_usage_perc{engine="1",model_name="a"} 0.4
        """;

    private const string Sglang = """
        sglang:num_running_reqs{engine_type="unified",model_name="llama",pp_rank="0",tp_rank="0"} 7.0
        sglang:num_queue_reqs{engine_type="unified",model_name="llama",pp_rank="0",tp_rank="0"} 1.0
        sglang:token_usage{engine_type="unified",model_name="llama",pp_rank="0",tp_rank="0"} 0.28
        sglang:prompt_tokens_total{model_name="llama"} 8.128902e+06
        sglang:generation_tokens_total{model_name="llama"} 7.557572e+06
        """;

    private const string Llamacpp = """
        # HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
        # TYPE llamacpp:prompt_tokens_total counter
        llamacpp:prompt_tokens_total 515
        llamacpp:tokens_predicted_total 1024
        llamacpp:prompt_tokens_seconds 123.4
        llamacpp:kv_cache_usage_ratio 0.0625
        llamacpp:requests_processing 1
        llamacpp:requests_deferred 0
        """;

    private const string Tgi = """
        tgi_batch_current_size 5
        tgi_queue_size 3
        tgi_request_input_length_sum 4200
        tgi_request_input_length_count 42
        tgi_request_generated_tokens_sum 9000
        """;

    [Fact]
    public void VLLM_tells_what_it_runs_and_what_waits() => Assert.Equal(new LoadSignal(3, 2, 0.4375, 1234567, 98765), Read(Vllm));

    [Fact]
    public void VLLM_before_its_cache_was_called_kv() => Assert.Equal(new LoadSignal(1, 0, 0.25, null, null), Read(EarlierVllm));

    [Fact]
    public void VLLM_with_several_engines_is_the_sum_of_them_and_the_new_name_goes_before_the_old()
    {
        var signal = Read(ParallelVllm);
        Assert.Equal((10, 5), (signal.Running, signal.Waiting));
        Assert.Equal(0.3, signal.CacheUse!.Value, 9);
    }

    [Fact]
    public void SGLang_tells_what_it_runs_and_what_waits() => Assert.Equal(new LoadSignal(7, 1, 0.28, 8128902, 7557572), Read(Sglang));

    [Fact]
    public void Llama_cpp_tells_everything() => Assert.Equal(new LoadSignal(1, 0, 0.0625, 515, 1024), Read(Llamacpp));

    [Fact]
    public void TGI_does_not_tell_of_its_cache() => Assert.Equal(new LoadSignal(5, 3, null, 4200, 9000), Read(Tgi));

    [Fact]
    public void TensorRT_LLM_does_not_tell_of_tokens() => Assert.Equal(
        new LoadSignal(2, 1, 0.75, null, null), Read("trtllm_num_requests_running 2\ntrtllm_num_requests_waiting 1\ntrtllm_kv_cache_utilization 0.75\n"));

    [Theory]
    [InlineData("")]
    [InlineData("<html>not found</html>")]
    [InlineData("vllm:num_requests_running")]
    [InlineData("vllm:num_requests_running{engine=\"0\" 3")]
    [InlineData("vllm:num_requests_running NaN")]
    [InlineData("vllm:num_requests_running +Inf")]
    [InlineData("vllm:num_requests_running -1")]
    [InlineData("vllm:num_requests_running three")]
    [InlineData("xvllm:num_requests_running 3")]
    public void What_a_page_does_not_say_is_not_known(string page) => Assert.True(Read(page).IsEmpty);

    [Theory]
    [InlineData("vllm:num_requests_running{model_name=\"a } b\"} 3")]
    [InlineData("vllm:num_requests_running{model_name=\"a \\\" } b\\\\\"} 3 1763900000000")]
    [InlineData("  vllm:num_requests_running\t3\r\n")]
    [InlineData("vllm:num_requests_running +3")]
    [InlineData("broken line {\nvllm:num_requests_running 3")]
    public void Labels_timestamps_and_broken_neighbours_do_not_matter(string page) => Assert.Equal(3, Read(page).Running);

    [Fact]
    public void Reading_allocates_nothing()
    {
        var page = Encoding.UTF8.GetBytes(Vllm + Sglang + Llamacpp);
        Assert.Equal(0, Allocations.Least(() => EngineSignals.Read(page)));
    }

    [Theory]
    [InlineData("""[{"id":0,"n_ctx":4096,"is_processing":true,"params":{"is_processing":true}},{"id":1,"is_processing":false},{"id":2,"is_processing":true}]""", 2)]
    [InlineData("""[{"id":0,"state":1,"n_ctx":512},{"id":1,"state":0}]""", 1)]
    [InlineData("""[{"id":0,"is_processing":false}]""", 0)]
    public void Slots_of_llama_cpp_that_are_busy_are_running(string json, int running) =>
        Assert.Equal(new LoadSignal(running, null, null, null, null), EngineSignals.ReadSlots(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"error":{"code":501,"message":"This server does not support slots endpoint."}}""")]
    [InlineData("""[{"id":0,"is_processing":tr""")]
    public void Slots_that_cannot_be_read_tell_nothing(string json) => Assert.True(EngineSignals.ReadSlots(Encoding.UTF8.GetBytes(json)).IsEmpty);

    [Theory]
    [InlineData("llama3.2:3b", true)]
    [InlineData("qwen3", true)]
    [InlineData("qwen3:latest", true)]
    [InlineData("qwen3:8b", false)]
    [InlineData("llama3.2", false)]
    public void Ollama_tells_which_models_it_holds(string model, bool loaded)
    {
        const string ps = """
            {"models":[{"name":"llama3.2:3b","model":"llama3.2:3b","size":3825819519,"details":{"name":"qwen3:8b"},"expires_at":"2318-01-01T00:00:00Z","size_vram":3825819519,"context_length":4096},
             {"name":"qwen3:latest","model":"qwen3:latest","size_vram":1}]}
            """;
        Assert.Equal(loaded, EngineSignals.IsLoadedInOllama(Encoding.UTF8.GetBytes(ps), model));
    }

    [Theory]
    [InlineData("""{"models":[]}""", false)]
    [InlineData("""{"error":"x"}""", null)]
    [InlineData("", null)]
    public void Ollama_without_models_holds_none_and_another_answer_tells_nothing(string json, bool? expected) =>
        Assert.Equal(expected, EngineSignals.IsLoadedInOllama(Encoding.UTF8.GetBytes(json), "qwen3"));

    [Fact]
    public void No_page_is_an_error() => Check.QuickThrowOnFailure(Prop.ForAll(Pages().ToArbitrary(), page =>
    {
        var signal = EngineSignals.Read(page);
        EngineSignals.ReadSlots(page);
        EngineSignals.IsLoadedInOllama(page, "qwen3");
        return signal.Running is null or >= 0 && signal.CacheUse is null or (>= 0 and <= 1);
    }));

    [Fact]
    public void Every_page_reads_the_same_in_any_order_of_lines() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Shuffle(ParallelVllm.Split('\n')).ToArbitrary(),
        lines => Read(string.Join('\n', lines)) is { Running: 10, Waiting: 5 }));

    /// <summary>Real pages with bytes changed, cut out and put in, and pages of bytes that mean something to the parser.</summary>
    private static Gen<byte[]> Pages() => Gen.OneOf(
        Gen.Elements((byte)'{', (byte)'}', (byte)'"', (byte)'\\', (byte)' ', (byte)'\n', (byte)'\r', (byte)'#', (byte)'1', (byte)'e', (byte)'[', (byte)':', (byte)0xFF).ArrayOf(),
        from page in Gen.Elements(Vllm, Sglang, Llamacpp, Tgi, """[{"id":0,"is_processing":true}]""", """{"models":[{"name":"qwen3:latest"}]}""")
        from at in Gen.Choose(0, page.Length - 1)
        from with in Gen.Choose(0, 255)
        from length in Gen.Choose(0, 20)
        let bytes = Encoding.UTF8.GetBytes(page)
        select (byte[])[.. bytes.AsSpan(0, at), (byte)with, .. bytes.AsSpan(Math.Min(bytes.Length, at + length))]);

    private static LoadSignal Read(string page) => EngineSignals.Read(Encoding.UTF8.GetBytes(page));
}
