namespace Stoker.Models.Signals;

/// <summary>How loaded a server is, by its own account. Null: it does not say.</summary>
/// <param name="Running">Requests being worked on.</param>
/// <param name="Waiting">Requests that wait in the engine.</param>
/// <param name="CacheUse">Part of the key-value cache in use, 0 to 1; of several engines in one server the mean.</param>
/// <param name="PromptTokensTotal">Tokens of prompts since the server started.</param>
/// <param name="GenerationTokensTotal">Tokens made since the server started.</param>
internal readonly record struct LoadSignal(double? Running, double? Waiting, double? CacheUse, double? PromptTokensTotal, double? GenerationTokensTotal)
{
    /// <summary>Nothing in the page says how loaded the server is.</summary>
    public bool IsEmpty => Running is null && Waiting is null && CacheUse is null;
}
