using System.Text;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Engine;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>Logarithms of probabilities: made up, the same for the same token, and in the order that they have to have.</summary>
internal static class Logprobs
{
    public static double Of(ReadOnlySpan<char> token) => -Math.Round((Tokenizer.Number(token) % 3000) / 1000.0, 4);

    /// <summary>As chat completions have them: <c>{"content":[…]}</c> of these tokens.</summary>
    public static void AddLogprobs(this OutBuffer to, Answer answer, ReadOnlySpan<AnswerToken> tokens, int alternatives)
    {
        to.Add("{\"content\":["u8);
        var isFirst = true;
        foreach (var token in tokens)
        {
            if (token.Kind != TokenKind.Content) continue;
            if (!isFirst) to.Add(","u8);
            isFirst = false;
            var text = answer.TextOf(token);
            to.Add("{"u8);
            AddOne(to, text, Of(text));
            to.Add(",\"top_logprobs\":["u8);
            for (var i = 0; i < alternatives; i++)
            {
                to.Add(i == 0 ? "{"u8 : ",{"u8);
                if (i == 0) AddOne(to, text, Of(text));
                else AddOne(to, $" or{i}", Of(text) - i);
                to.Add("}"u8);
            }

            to.Add("]}"u8);
        }

        to.Add("]}"u8);
    }

    private static void AddOne(OutBuffer to, ReadOnlySpan<char> text, double logprob)
    {
        to.Add("\"token\":"u8);
        to.AddString(text);
        to.Add(",\"logprob\":"u8);
        to.AddReal(logprob);
        to.Add(",\"bytes\":["u8);
        Span<byte> bytes = stackalloc byte[256];
        var length = Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, 64)], bytes);
        for (var i = 0; i < length; i++)
        {
            if (i > 0) to.Add(","u8);
            to.Add(bytes[i]);
        }

        to.Add("]"u8);
    }
}
