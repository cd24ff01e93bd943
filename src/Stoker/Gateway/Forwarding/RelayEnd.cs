using Stoker.Gateway.Answers;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway.Forwarding;

/// <summary>How the passing on of one replica's answer ended; a closed set.</summary>
internal abstract record RelayEnd
{
    /// <summary>The client has the whole answer.</summary>
    /// <param name="Reusable">The replica's connection can carry another request.</param>
    internal sealed record Whole(bool Reusable) : RelayEnd
    {
        public static Whole Kept { get; } = new(true);

        public static Whole Closed { get; } = new(false);
    }

    /// <summary>Nothing of it has reached the client: another replica may answer, or the error stands.</summary>
    internal sealed record NotBegun(AttemptEnd End, ApiError Error) : RelayEnd
    {
        /// <summary>The replica's connection can carry another request.</summary>
        public bool Reusable { get; init; }
    }

    /// <summary>The client has had a part and was told that it is one.</summary>
    internal sealed record CutOff(AttemptEnd End, string Why) : RelayEnd;

    internal sealed record ClientLeft : RelayEnd
    {
        public static ClientLeft It { get; } = new();
    }
}
