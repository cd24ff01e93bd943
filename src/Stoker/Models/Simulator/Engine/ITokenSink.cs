using Stoker.Models.Simulator.Answers;

namespace Stoker.Models.Simulator.Engine;

/// <summary>Where tokens go as they are made. Each says false when there is nobody left to make tokens for.</summary>
internal interface ITokenSink
{
    /// <summary>Before the first wait: the request was taken.</summary>
    ValueTask<bool> BeginAsync();

    /// <summary>One token of one choice. May keep it until the flush.</summary>
    ValueTask<bool> AddAsync(int choice, AnswerToken token);

    /// <summary>Before a wait: what was kept goes out.</summary>
    ValueTask<bool> FlushAsync();
}
