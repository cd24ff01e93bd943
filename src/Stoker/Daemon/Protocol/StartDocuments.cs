using System.Text.Json;
using Stoker.Supervision;

namespace Stoker.Daemon.Protocol;

/// <summary>The documents that every start of an estate writes and reads, by hand; <see cref="JsonByHand"/> says why. A test holds them to the generated ones.</summary>
internal static class StartDocuments
{
    public static byte[] Write(DaemonDocument daemon) => JsonByHand.Object(daemon, static (json, daemon) =>
    {
        json.WriteNumber("pid", daemon.Pid);
        json.WriteString("version", daemon.Version);
        json.WriteString("estate", daemon.Estate);
        json.WriteString("host", daemon.Host);
        json.WriteString("since", daemon.Since);
        json.WriteString("url", daemon.Url);
        json.WriteString("state_directory", daemon.StateDirectory);
        json.WriteBoolean("rehearse", daemon.Rehearse);
        json.WriteStrings("files", daemon.Files);
    });

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static DaemonDocument ReadDaemon(ReadOnlyMemory<byte> json) => JsonByHand.Read(json.Span, Daemon);

    public static byte[] Write(ApplyRequest request) => JsonByHand.Object(request, static (json, request) =>
    {
        json.WriteStrings("files", request.Files);
        json.WriteString("project_directory", request.ProjectDirectory);
        json.WriteString("env", request.Env);
        json.WriteString("host", request.Host);
        json.WriteBoolean("rehearse", request.Rehearse);
        json.WriteStrings("profiles", request.Profiles);
        json.WriteStrings("names", request.Names);
        json.WriteStrings("beside", request.Beside);
        json.WriteStartObject("variables");
        foreach (var (name, value) in request.Variables) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteStartObject("scaled");
        foreach (var (name, scaled) in request.Scaled)
        {
            json.WriteStartObject(name);
            json.WriteNumber("replicas", scaled.Replicas);
            json.WriteNumber("declared", scaled.Declared);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    });

    public static byte[] Write(ApplyResponse response) => JsonByHand.Object(response, static (json, response) =>
    {
        json.WriteBoolean("accepted", response.Accepted);
        json.WritePropertyName("plan");
        if (response.Plan is { } plan) plan.WriteTo(json);
        else json.WriteNullValue();
        json.WriteObjects("diagnostics", response.Diagnostics, static (json, diagnostic) =>
        {
            json.WriteString("code", diagnostic.Code);
            json.WriteString("severity", diagnostic.Severity);
            json.WriteString("file", diagnostic.File);
            json.WriteNumber("line", diagnostic.Line);
            json.WriteNumber("column", diagnostic.Column);
            json.WriteString("message", diagnostic.Message);
            json.WriteString("hint", diagnostic.Hint);
        });
        json.WriteStrings("comes_up", response.ComesUp);
    });

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static ApplyResponse ReadResponse(ReadOnlyMemory<byte> json) => JsonByHand.Read(json.Span, Response);

    private static DaemonDocument Daemon(ref Utf8JsonReader reader)
    {
        int? pid = null;
        string? version = null, estate = null, host = null, url = null, state = null;
        DateTimeOffset? since = null;
        var rehearse = false;
        List<string> files = [];
        while (JsonByHand.NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "pid": pid = reader.GetInt32(); break;
                case "version": version = reader.GetString(); break;
                case "estate": estate = reader.GetString(); break;
                case "host": host = reader.GetString(); break;
                case "since": since = JsonByHand.ReadTime(ref reader); break;
                case "url": url = reader.GetString(); break;
                case "state_directory": state = reader.GetString(); break;
                case "rehearse": rehearse = reader.TokenType == JsonTokenType.True; break;
                case "files": JsonByHand.ReadStrings(ref reader, files); break;
                default: reader.Skip(); break;
            }
        }

        return new DaemonDocument(
            pid ?? throw JsonByHand.Missing("pid"), version ?? "", estate ?? throw JsonByHand.Missing("estate"), host, since ?? throw JsonByHand.Missing("since"), url ?? "", state ?? "",
            rehearse, files);
    }

    private static ApplyResponse Response(ref Utf8JsonReader reader)
    {
        bool? accepted = null;
        JsonElement? plan = null;
        List<DiagnosticDocument> diagnostics = [];
        List<string> comesUp = [];
        while (JsonByHand.NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "accepted": accepted = reader.GetBoolean(); break;
                case "plan": plan = JsonByHand.IsNull(ref reader) ? null : JsonElement.ParseValue(ref reader); break;
                case "diagnostics":
                    while (JsonByHand.NextItem(ref reader)) diagnostics.Add(Diagnostic(ref reader));
                    break;
                case "comes_up": JsonByHand.ReadStrings(ref reader, comesUp); break;
                default: reader.Skip(); break;
            }
        }

        return new ApplyResponse(accepted ?? throw JsonByHand.Missing("accepted"), plan, diagnostics) { ComesUp = comesUp };
    }

    private static DiagnosticDocument Diagnostic(ref Utf8JsonReader reader)
    {
        string? code = null, severity = null, file = null, message = null, hint = null;
        int line = 0, column = 0;
        while (JsonByHand.NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "code": code = reader.GetString(); break;
                case "severity": severity = reader.GetString(); break;
                case "file": file = reader.GetString(); break;
                case "line": line = reader.GetInt32(); break;
                case "column": column = reader.GetInt32(); break;
                case "message": message = reader.GetString(); break;
                case "hint": hint = reader.GetString(); break;
                default: reader.Skip(); break;
            }
        }

        return new DiagnosticDocument(code ?? "", severity ?? throw JsonByHand.Missing("severity"), file ?? "", line, column, message ?? "", hint);
    }
}
