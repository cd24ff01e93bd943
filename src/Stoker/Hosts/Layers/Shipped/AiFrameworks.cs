using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>A Python environment with frameworks of exact versions, apart from the system's Python.</summary>
internal static class AiFrameworks
{
    private static readonly string[] Usual = ["torch==2.7.1", "vllm==0.10.0"];

    public static ShippedLayer Layer { get; } = new(
        "ai-frameworks",
        "a Python environment with frameworks of exact versions",
        [
            new("path", ParameterKind.Place, "where it is; default `/opt/ai`"),
            new("packages", ParameterKind.Pins, $"packages with exact versions; default {string.Join(' ', Usual)}"),
            new("wheels", ParameterKind.Place, "a directory of wheels that they are taken from, and from nowhere else; default: the package index that pip is set to"),
        ],
        call =>
        {
            var path = call.Text("path") ?? "/opt/ai";
            var pins = call.List("packages", Usual);
            var list = $"/etc/stoker/python-{path.Trim('/').Replace('/', '-')}.txt";
            string[] source = call.Text("wheels") is { } wheels ? ["--no-index", "--find-links", wheels] : [];
            string[] pip = [$"{path}/bin/python", "-m", "pip", "--disable-pip-version-check"];
            return new LayerContent(
                [
                    ShippedCall.Packages("python3-venv"),
                    ShippedCall.File(list, string.Concat(pins.Select(p => $"{p}\n"))),
                    ShippedCall.Run(["python3", "-m", "venv", path], ["test", "-x", $"{path}/bin/python"], ["rm", "-rf", path]),
                    ShippedCall.Run([.. pip, "install", "-q", .. source, "-r", list], ["sh", "-c", Has, "sh", path, .. pins.Select(WithoutExtras)], ["true"], TimeSpan.FromHours(1)),
                ],
                [
                    call.Says("versions", [.. pip, "check"]),
                    .. pins.Select(p => call.Says($"has-{p.Split('[', '=')[0]}", ["sh", "-c", Has, "sh", path, WithoutExtras(p)])),
                ],
                []);
        });

    /// <summary>Names are written in several ways, as in <c>Flash_Attn</c>; a version may have a local part behind it.</summary>
    private const string Has = """
        path=$1; shift
        "$path/bin/python" - "$@" <<'PYTHON'
        import importlib.metadata, sys
        for pin in sys.argv[1:]:
            name, version = pin.split("==")
            if importlib.metadata.version(name).split("+")[0] != version.split("+")[0]: sys.exit(1)
        PYTHON
        """;

    private static string WithoutExtras(string pin) => pin.Contains('[') ? pin[..pin.IndexOf('[')] + pin[pin.IndexOf("==", StringComparison.Ordinal)..] : pin;
}
