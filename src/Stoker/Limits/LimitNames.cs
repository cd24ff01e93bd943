using System.Text;

namespace Stoker.Limits;

/// <summary>The beginnings of the three lines that tell of one limit, made once.</summary>
internal sealed class LimitNames
{
    private LimitNames(string what) => (Limit, Remaining, Reset) = (Line("limit", what), Line("remaining", what), Line("reset", what));

    public static LimitNames Requests { get; } = new("requests");

    public static LimitNames Tokens { get; } = new("tokens");

    public static LimitNames Events { get; } = new("events");

    /// <summary><c>x-ratelimit-limit-requests: </c></summary>
    public byte[] Limit { get; }

    /// <summary><c>x-ratelimit-remaining-requests: </c></summary>
    public byte[] Remaining { get; }

    /// <summary><c>x-ratelimit-reset-requests: </c></summary>
    public byte[] Reset { get; }

    private static byte[] Line(string which, string what) => Encoding.ASCII.GetBytes($"x-ratelimit-{which}-{what}: ");
}
