namespace Stoker.Streams.Json;

/// <summary>One thing that is wrong in an event.</summary>
/// <param name="Path">Where: <c>$.embedding[17]</c>, or <c>header ce-id</c>.</param>
/// <param name="Code">Stable, for programs: one of <see cref="MistakeCodes"/>.</param>
/// <param name="Message">For people.</param>
/// <param name="Expected">What would be right, where that can be said shortly.</param>
/// <param name="Got">What stands there, shortened.</param>
internal sealed record Mistake(string Path, string Code, string Message, string? Expected = null, string? Got = null);
