using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Answers;

/// <summary>
/// The tokens of a prompt. A chat is put into a template whose marks are one token each:
/// <code>begin role content end · begin-of-answer content end · … · begin-of-answer</code>
/// so that a dialogue begins with the whole of its earlier turns, as with real templates, and the prefix cache finds it.
/// </summary>
internal static class Prompt
{
    /// <summary>Tokens that a picture counts for.</summary>
    private const int ImageTokens = 64;

    public static List<uint> Tokens(GenerationRequest request)
    {
        var tokens = new List<uint>();
        if (request.Prompts.Count > 0)
        {
            foreach (var prompt in request.Prompts) Tokenizer.Add(prompt, tokens);
            return tokens;
        }

        Tokenizer.Add(request.ToolText, tokens);
        foreach (var turn in request.Turns)
        {
            if (turn.Role == "assistant")
            {
                tokens.Add(Tokenizer.AnswerBegins);
            }
            else
            {
                tokens.Add(Tokenizer.MessageBegins);
                tokens.Add(Tokenizer.Number(turn.Role));
            }

            for (var i = 0; i < turn.Images * ImageTokens; i++) tokens.Add(Tokenizer.Image);
            Tokenizer.Add(turn.Text, tokens);
            tokens.Add(Tokenizer.MessageEnds);
        }

        tokens.Add(Tokenizer.AnswerBegins);
        return tokens;
    }
}
