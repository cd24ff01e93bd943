namespace Stoker.Models.Simulator;

/// <summary>
/// A model server without a model: `stoker simulate llm`. It is the engine of a rehearsal and the double in tests of whatever talks to
/// model servers, so it is exact about three things: time, tokens and faults.
/// <code>
///   socket ─→ Wire: one request after the other ─→ SimulatedServer: which path ─→ Endpoints: what it asks for
///                                                                                    │
///     Faults: how the answer goes wrong ←─ the answer, token by token ←─ Engine: queue, blocks, pace ←─ Answers: what to say
/// </code>
/// It promises: the same request gives the same words (seed, prompt and choice decide them); usage is the number of tokens that
/// <see cref="Engine.Tokenizer"/> counts; metrics say what happened; a client that leaves ends its request at once, and what was not
/// generated is not counted. It refuses what the engine it plays would refuse, in that engine's words. docs/simulator.md has the rest.
/// The wire is its own and not a web framework's, because faults are a matter of single writes, and to start in little time and memory.
/// </summary>
internal static class SimulatorModule
{
    /// <summary>The header that asks for faults in one request.</summary>
    public const string FaultHeader = "x-simulate";

    /// <summary>Says which server answered, as the label of its choice: a test of routing reads it.</summary>
    public const string NameHeader = "x-simulated-by";
}
