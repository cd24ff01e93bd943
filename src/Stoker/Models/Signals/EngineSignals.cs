using System.Text.Json;

namespace Stoker.Models.Signals;

/// <summary>
/// One load signal for every engine, from what it says of itself: its metrics page, llama.cpp's <c>/slots</c>, Ollama's <c>/api/ps</c>.
/// Pure; allocates nothing. Old and new names are both known; what an engine does not say is null, never 0. A server that holds several
/// engines (data parallel) has a series for each: counts are added up, of cache use it is the mean.
/// Refuses: to judge how old a signal is, or whether it can be believed (vLLM's gauges trail the truth by seconds); that is the router's.
/// </summary>
internal static class EngineSignals
{
    private enum Field : byte
    {
        Running,
        Waiting,
        CacheUse,

        /// <summary>The name that it had before, and may have beside the new one.</summary>
        EarlierCacheUse,
        PromptTokens,
        GenerationTokens,
    }

    /// <summary>
    /// vLLM: docs.vllm.ai, design/metrics. SGLang: docs.sglang.io, references/production_metrics. llama.cpp: tools/server/README.md.
    /// TGI: huggingface.co/docs/text-generation-inference/reference/metrics. TensorRT-LLM: trtllm-serve, /prometheus/metrics.
    /// </summary>
    private static readonly (byte[] Name, Field Field)[] Names =
    [
        ("vllm:num_requests_running"u8.ToArray(), Field.Running),
        ("vllm:num_requests_waiting"u8.ToArray(), Field.Waiting),
        ("vllm:kv_cache_usage_perc"u8.ToArray(), Field.CacheUse),
        ("vllm:gpu_cache_usage_perc"u8.ToArray(), Field.EarlierCacheUse),
        ("vllm:prompt_tokens_total"u8.ToArray(), Field.PromptTokens),
        ("vllm:generation_tokens_total"u8.ToArray(), Field.GenerationTokens),
        ("sglang:num_running_reqs"u8.ToArray(), Field.Running),
        ("sglang:num_queue_reqs"u8.ToArray(), Field.Waiting),
        ("sglang:token_usage"u8.ToArray(), Field.CacheUse),
        ("sglang:prompt_tokens_total"u8.ToArray(), Field.PromptTokens),
        ("sglang:generation_tokens_total"u8.ToArray(), Field.GenerationTokens),
        ("llamacpp:requests_processing"u8.ToArray(), Field.Running),
        ("llamacpp:requests_deferred"u8.ToArray(), Field.Waiting),
        ("llamacpp:kv_cache_usage_ratio"u8.ToArray(), Field.CacheUse),
        ("llamacpp:prompt_tokens_total"u8.ToArray(), Field.PromptTokens),
        ("llamacpp:tokens_predicted_total"u8.ToArray(), Field.GenerationTokens),
        ("tgi_batch_current_size"u8.ToArray(), Field.Running),
        ("tgi_queue_size"u8.ToArray(), Field.Waiting),
        ("tgi_request_input_length_sum"u8.ToArray(), Field.PromptTokens),
        ("tgi_request_generated_tokens_sum"u8.ToArray(), Field.GenerationTokens),
        ("trtllm_num_requests_running"u8.ToArray(), Field.Running),
        ("trtllm_num_requests_waiting"u8.ToArray(), Field.Waiting),
        ("trtllm_kv_cache_utilization"u8.ToArray(), Field.CacheUse),
    ];

    /// <param name="page">A metrics page in Prometheus' text format, of any of the engines.</param>
    public static LoadSignal Read(ReadOnlySpan<byte> page)
    {
        Span<double> sums = stackalloc double[6];
        Span<int> counts = stackalloc int[6];
        sums.Clear();
        counts.Clear();
        var text = new PrometheusText(page);
        while (text.Next())
        {
            if (text.Value < 0) continue;
            foreach (var (name, field) in Names)
            {
                if (name.Length != text.Name.Length || !text.Name.SequenceEqual(name)) continue;
                sums[(int)field] += text.Value;
                counts[(int)field]++;
                break;
            }
        }

        var cache = Mean(sums, counts, Field.CacheUse) ?? Mean(sums, counts, Field.EarlierCacheUse);
        return new LoadSignal(
            Sum(sums, counts, Field.Running), Sum(sums, counts, Field.Waiting), cache is { } use ? Math.Min(use, 1) : null,
            Sum(sums, counts, Field.PromptTokens), Sum(sums, counts, Field.GenerationTokens));
    }

    /// <summary>
    /// llama.cpp's <c>/slots</c>, <c>[{"id":0,"n_ctx":4096,"is_processing":true,…},…]</c>, for a server that was started without
    /// <c>--metrics</c>; builds before 2025 say <c>"state":1</c>. Only <see cref="LoadSignal.Running"/> can be told from it.
    /// </summary>
    public static LoadSignal ReadSlots(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return default;
            var (slots, busy) = (0, 0);
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.StartObject && reader.CurrentDepth == 1) slots++;
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 2) continue;
                var isFlag = reader.ValueTextEquals("is_processing"u8);
                var isState = !isFlag && reader.ValueTextEquals("state"u8);
                if (!reader.Read()) break;
                if ((isFlag && reader.TokenType == JsonTokenType.True) || (isState && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var state) && state != 0)) busy++;
            }

            return slots == 0 ? default : new LoadSignal(busy, null, null, null, null);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    /// <summary>
    /// Whether Ollama holds a model, by its <c>/api/ps</c>, <c>{"models":[{"name":"llama3.2:3b","size_vram":3825819519,…}]}</c>. It says
    /// nothing of requests: only whoever sends them can count them.
    /// </summary>
    /// <param name="model">As Ollama names it; without a tag <c>:latest</c> is meant.</param>
    /// <returns>Null: the answer cannot be read.</returns>
    public static bool? IsLoadedInOllama(ReadOnlySpan<byte> json, string model)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            var seen = false;
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                if (reader.CurrentDepth == 1) seen |= reader.ValueTextEquals("models"u8);
                var isName = reader.CurrentDepth == 3 && (reader.ValueTextEquals("name"u8) || reader.ValueTextEquals("model"u8));
                if (!reader.Read()) break;
                if (isName && reader.TokenType == JsonTokenType.String && IsNamed(ref reader, model)) return true;
            }

            return seen ? false : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsNamed(ref Utf8JsonReader reader, string model)
    {
        if (reader.ValueTextEquals(model)) return true;
        if (model.LastIndexOf(':') > model.LastIndexOf('/')) return false;
        Span<char> tagged = stackalloc char[Math.Min(model.Length, 512) + 7];
        if (model.Length > 512) return false;
        model.CopyTo(tagged);
        ":latest".CopyTo(tagged[model.Length..]);
        return reader.ValueTextEquals(tagged);
    }

    private static double? Sum(ReadOnlySpan<double> sums, ReadOnlySpan<int> counts, Field field) => counts[(int)field] > 0 ? sums[(int)field] : null;

    private static double? Mean(ReadOnlySpan<double> sums, ReadOnlySpan<int> counts, Field field) => counts[(int)field] > 0 ? sums[(int)field] / counts[(int)field] : null;
}
