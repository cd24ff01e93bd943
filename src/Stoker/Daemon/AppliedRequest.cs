using System.Text.Json;
using Stoker.Daemon.Protocol;
using Stoker.Platform;

namespace Stoker.Daemon;

/// <summary>What an estate's daemon was last asked to run: <c>applied.json</c> in the state directory, for the daemon that comes after.</summary>
internal static class AppliedRequest
{
    /// <summary>Null: nothing, or it was asked to end everything.</summary>
    public static ApplyRequest? Read(StateDirectory state) =>
        Files.ReadIfPresent(state.Applied) is { } bytes ? JsonSerializer.Deserialize(bytes, ControlJson.Readable.ApplyRequest) : null;

    public static void Write(StateDirectory state, ApplyRequest request) => Files.Replace(state.Applied, StartDocuments.Write(request));

    public static void Forget(StateDirectory state) => Files.Delete(state.Applied);
}
