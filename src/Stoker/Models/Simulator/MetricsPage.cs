using System.Globalization;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator;

/// <summary>
/// What <c>GET /metrics</c> shows: the names, labels and units of the engine that is played. Sources: vLLM 0.11 <c>vllm/v1/metrics</c>, SGLang
/// <c>metrics/collector.py</c>, llama.cpp <c>tools/server</c>, TGI <c>router</c>. Ollama has none.
/// </summary>
internal static class MetricsPage
{
    public static string? Write(SimulatorOptions options, ModelEngine engine) => options.Engine switch
    {
        EngineKind.LlamaCpp => LlamaCpp(engine),
        EngineKind.Sglang => Sglang(options, engine),
        EngineKind.Tgi => Tgi(engine),
        EngineKind.Ollama => null,
        _ => Vllm(options, engine),
    };

    private static string Vllm(SimulatorOptions options, ModelEngine engine)
    {
        var labels = $"engine=\"0\",model_name=\"{options.Model}\"";
        var (running, waiting, used) = engine.Batch.Load;
        var counts = engine.Counts;
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        One(text, "gauge", "vllm:num_requests_running", labels, running);
        One(text, "gauge", "vllm:num_requests_waiting", labels, waiting);
        One(text, "gauge", "vllm:kv_cache_usage_perc", labels, (double)used / engine.BlockCount);
        One(text, "gauge", "vllm:engine_sleep_state", $"{labels},sleep_state=\"awake\"", engine.IsAsleep ? 0 : 1);
        One(text, "counter", "vllm:prefix_cache_queries_total", labels, counts.PrefixQueries);
        One(text, "counter", "vllm:prefix_cache_hits_total", labels, counts.PrefixHits);
        One(text, "counter", "vllm:num_preemptions_total", labels, counts.Preemptions);
        One(text, "counter", "vllm:prompt_tokens_total", labels, counts.PromptTokens);
        One(text, "counter", "vllm:generation_tokens_total", labels, counts.GeneratedTokens);
        text.Write("# TYPE vllm:request_success_total counter\n");
        foreach (var how in Enum.GetValues<Ending>())
            text.Write($"vllm:request_success_total{{{labels},finished_reason=\"{how.ToString().ToLowerInvariant()}\"}} {counts.Ended(how)}\n");
        counts.FirstToken.Write(text, "vllm:time_to_first_token_seconds", labels);
        counts.BetweenTokens.Write(text, "vllm:inter_token_latency_seconds", labels);
        counts.EndToEnd.Write(text, "vllm:e2e_request_latency_seconds", labels);
        counts.Queued.Write(text, "vllm:request_queue_time_seconds", labels);
        counts.Prefill.Write(text, "vllm:request_prefill_time_seconds", labels);
        counts.Decode.Write(text, "vllm:request_decode_time_seconds", labels);
        One(text, "gauge", "vllm:cache_config_info", $"block_size=\"{options.BlockSize}\",engine=\"0\",num_gpu_blocks=\"{engine.BlockCount}\"", 1);
        return text.ToString();
    }

    private static string Sglang(SimulatorOptions options, ModelEngine engine)
    {
        var labels = $"engine_type=\"unified\",model_name=\"{options.Model}\"";
        var (running, waiting, used) = engine.Batch.Load;
        var counts = engine.Counts;
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        One(text, "gauge", "sglang:num_running_reqs", labels, running);
        One(text, "gauge", "sglang:num_queue_reqs", labels, waiting);
        One(text, "gauge", "sglang:num_used_tokens", labels, used * (double)options.BlockSize);
        One(text, "gauge", "sglang:token_usage", labels, (double)used / engine.BlockCount);
        One(text, "gauge", "sglang:cache_hit_rate", labels, counts.PrefixQueries == 0 ? 0 : (double)counts.PrefixHits / counts.PrefixQueries);
        One(text, "counter", "sglang:prompt_tokens_total", labels, counts.PromptTokens);
        One(text, "counter", "sglang:generation_tokens_total", labels, counts.GeneratedTokens);
        counts.FirstToken.Write(text, "sglang:time_to_first_token_seconds", labels);
        counts.BetweenTokens.Write(text, "sglang:inter_token_latency_seconds", labels);
        counts.EndToEnd.Write(text, "sglang:e2e_request_latency_seconds", labels);
        One(text, "gauge", "sglang:cache_config_info", $"num_pages=\"{engine.BlockCount}\",page_size=\"{options.BlockSize}\"", 1);
        return text.ToString();
    }

    private static string LlamaCpp(ModelEngine engine)
    {
        var (running, waiting, used) = engine.Batch.Load;
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        One(text, "counter", "llamacpp:prompt_tokens_total", null, engine.Counts.PromptTokens);
        One(text, "counter", "llamacpp:tokens_predicted_total", null, engine.Counts.GeneratedTokens);
        One(text, "gauge", "llamacpp:kv_cache_usage_ratio", null, (double)used / engine.BlockCount);
        One(text, "gauge", "llamacpp:requests_processing", null, running);
        One(text, "gauge", "llamacpp:requests_deferred", null, waiting);
        return text.ToString();
    }

    private static string Tgi(ModelEngine engine)
    {
        var (running, waiting, _) = engine.Batch.Load;
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        One(text, "gauge", "tgi_batch_current_size", null, running);
        One(text, "gauge", "tgi_queue_size", null, waiting);
        One(text, "counter", "tgi_request_success", null, engine.Counts.Ended(Ending.Stop) + engine.Counts.Ended(Ending.Length));
        engine.Counts.EndToEnd.Write(text, "tgi_request_duration", "method=\"generate\"");
        engine.Counts.BetweenTokens.Write(text, "tgi_request_mean_time_per_token_duration", "method=\"generate\"");
        return text.ToString();
    }

    private static void One(StringWriter text, string type, string name, string? labels, double value) =>
        text.Write($"# TYPE {name} {type}\n{name}{(labels is null ? "" : $"{{{labels}}}")} {value.ToString("R", CultureInfo.InvariantCulture)}\n");
}
