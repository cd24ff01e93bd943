using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Stoker.StandIns;

/// <summary>What one stand-in does. Travels as the arguments of the hidden verb.</summary>
/// <param name="Why">Why it runs: <c>`redis-server` is not installed</c>.</param>
internal sealed record StandInOptions(string Service, int Replica, string Why)
{
    /// <summary>Where it listens, by TCP.</summary>
    public IReadOnlyList<IPEndPoint> Ports { get; init; } = [];

    /// <summary>A line that its healthcheck waits for.</summary>
    public string? Line { get; init; }

    /// <summary>The HTTP status that its healthcheck wants.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Ends with success at once: others wait for its completion.</summary>
    public bool Completes { get; init; }

    /// <summary>Between two lines of its output.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Ends it, beside SIGTERM, SIGINT and SIGQUIT.</summary>
    public int StopSignal { get; init; } = 15;

    /// <summary>Has it read its configuration again, beside SIGHUP.</summary>
    public int ReloadSignal { get; init; } = 1;

    /// <summary>What follows the name of the program, the verb first.</summary>
    public IReadOnlyList<string> ToArguments()
    {
        List<string> arguments = [StandInsModule.Verb, "--service", Service, "--replica", $"{Replica}", "--why", Why];
        foreach (var port in Ports)
        {
            arguments.AddRange(["--listen", port.ToString()]);
        }

        if (Line is not null) arguments.AddRange(["--line", Line]);
        if (Status != 200) arguments.AddRange(["--status", $"{Status}"]);
        if (Completes) arguments.Add("--completes");
        if (StopSignal != 15) arguments.AddRange(["--stop-signal", $"{StopSignal}"]);
        if (ReloadSignal != 1) arguments.AddRange(["--reload-signal", $"{ReloadSignal}"]);
        if (Every != TimeSpan.FromSeconds(10)) arguments.AddRange(["--every", Every.TotalSeconds.ToString(CultureInfo.InvariantCulture)]);
        return arguments;
    }

    /// <param name="arguments">What follows the verb.</param>
    public static bool TryParse(
        ReadOnlySpan<string> arguments, [NotNullWhen(true)] out StandInOptions? options, [NotNullWhen(false)] out string? problem)
    {
        options = new StandInOptions("service", 1, "");
        problem = null;
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--completes")
            {
                options = options with { Completes = true };
                continue;
            }

            var value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            var read = value is null ? null : options.With(arguments[i], value);
            if (read is null)
            {
                problem = value is null ? $"`{arguments[i]}` needs a value" : $"`{arguments[i]} {value}` is not understood";
                options = null;
                return false;
            }

            options = read;
            i++;
        }

        return true;
    }

    private StandInOptions? With(string option, string value) => option switch
    {
        "--service" => this with { Service = value },
        "--why" => this with { Why = value },
        "--line" => this with { Line = value },
        "--replica" when int.TryParse(value, out var replica) => this with { Replica = replica },
        "--listen" when IPEndPoint.TryParse(value, out var port) && port.Port > 0 => this with { Ports = [.. Ports, port] },
        "--status" when int.TryParse(value, out var status) && status is >= 200 and < 600 => this with { Status = status },
        "--stop-signal" when int.TryParse(value, out var signal) && signal is > 0 and < 65 => this with { StopSignal = signal },
        "--reload-signal" when int.TryParse(value, out var signal) && signal is > 0 and < 65 => this with { ReloadSignal = signal },
        "--every" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.01 and < 86400 =>
            this with { Every = TimeSpan.FromSeconds(seconds) },
        _ => null,
    };
}
