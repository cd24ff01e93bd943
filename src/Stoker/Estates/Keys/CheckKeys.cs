using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>
/// The keys of a check, as hosts, layers and the profiles of <c>doctor:</c> have them; all are Stoker's own. What is expected may be exact, <c>!exact</c>,
/// <c>/regex/</c> or a range.
/// </summary>
internal static class CheckKeys
{
    private const string Range = "as in `>=1.2`, `>=550 <580`";

    private static readonly KeyTable File = new("check-file", "A file, directory, link or device.",
        new("path", "Where it is; a relative one starts from the estate's file.", Text, Extension) { Required = true },
        new("exists", "Whether it must be there; default `true`.", Flag, Extension),
        new("type", "What it must be: `file`, `directory`, `link`, `socket`, `fifo` or `device`; a link is followed unless it is asked for.",
            Word("file", "directory", "link", "socket", "fifo", "device"), Extension),
        new("mode", "Its permissions, as in `0644`.", Octal, Extension),
        new("owner", "The user that owns it, by name or number.", Text, Extension),
        new("group", "The group that owns it, by name or number.", Text, Extension),
        new("size", $"Its size, {Range} with units such as `1MiB`.", Text, Extension),
        new("contains", "What must be in its text: words, `/regex/`, or `!…` for what must not.", TextOrTexts, Extension),
        new("sha256", "The SHA-256 of its content, in hexadecimal.", Text, Extension),
        new("link_to", "Where a link must lead, as it is written in it.", Text, Extension));

    private static readonly KeyTable Mount = new("check-mount", "A mounted file system.",
        new("path", "Where it is mounted.", Text, Extension) { Required = true },
        new("mounted", "Whether it must be; default `true`.", Flag, Extension),
        new("source", "What is mounted there, as in `/dev/nvme0n1p1`.", Text, Extension),
        new("type", "Its kind, as in `ext4`.", Text, Extension),
        new("options", "Options that it must have, or `!…` for those that it must not.", TextOrTexts, Extension),
        new("size", $"Its size, {Range} with units such as `1TiB`.", Text, Extension),
        new("free", $"What is free on it, {Range} with units such as `100GiB`.", Text, Extension));

    private static readonly KeyTable Package = new("check-package", "A package of the system's package manager.",
        new("name", "Its name.", Text, Extension) { Required = true },
        new("installed", "Whether it must be; default `true`.", Flag, Extension),
        new("version", $"Its version, {Range}.", Text, Extension));

    private static readonly KeyTable Service = new("check-service", "A service of the system's service manager (systemd).",
        new("name", "Its unit; `.service` may be left out.", Text, Extension) { Required = true },
        new("running", "Whether it must run; default `true`.", Flag, Extension),
        new("enabled", "Whether it must start at boot; default: not asked.", Flag, Extension));

    private static readonly KeyTable Port = new("check-port", "A port that something listens on, here or on another machine.",
        new("port", "Its number.", Shapes.Port, Extension) { Required = true },
        new("protocol", "`tcp` (default) or `udp`; of another machine only `tcp`.", Word("tcp", "udp"), Extension),
        new("host", "The other machine, by name or address; default: here.", Text, Extension),
        new("open", "Whether it must be; default `true`.", Flag, Extension),
        new("address", "The address that it must be open on here, and on no other: `127.0.0.1`.", Text, Extension));

    private static readonly KeyTable User = new("check-user", "A user of this machine.",
        new("name", "Its name.", Text, Extension) { Required = true },
        new("exists", "Whether there must be one; default `true`.", Flag, Extension),
        new("uid", "Its number.", Natural, Extension),
        new("group", "Its own group.", Text, Extension),
        new("groups", "Groups that it must be in.", TextOrTexts, Extension),
        new("home", "Its home directory.", Text, Extension),
        new("shell", "Its shell.", Text, Extension));

    private static readonly KeyTable Group = new("check-group", "A group of users.",
        new("name", "Its name.", Text, Extension) { Required = true },
        new("exists", "Whether there must be one; default `true`.", Flag, Extension),
        new("gid", "Its number.", Natural, Extension),
        new("members", "Users that must be in it.", TextOrTexts, Extension));

    private static readonly KeyTable Parameter = new("check-kernel-parameter", "A parameter of the kernel, as `sysctl` names it.",
        new("name", "Its name, as in `vm.swappiness`.", Text, Extension) { Required = true },
        new("is", $"What it must be: a value, or a range {Range}.", Text, Extension) { Required = true });

    private static readonly KeyTable Command = new("check-command", "A command that is run for its answer, as the caller, without a shell.",
        new("run", "The command: a string that is split into words, or the words.", TextOrTexts, Extension) { Required = true },
        new("exit", "The exit code that it must end with; default 0.", Shapes.Range(0, 255), Extension),
        new("output", "What must be in its output (the last 4 KiB): words, `/regex/`, or `!…` for what must not.", TextOrTexts, Extension),
        new("version", $"The first version number in its output, {Range}.", Text, Extension));

    private static readonly KeyTable Http = new("check-http", "An answer to a GET over HTTP.",
        new("url", "What is asked for: `http://…` or `https://…`.", Text, Extension) { Required = true },
        new("status", "The status that it must have; default: any from 200 to 299.", Shapes.Range(100, 599), Extension),
        new("body", "What must be in the first 64 KiB of its body: words, `/regex/`, or `!…` for what must not.", TextOrTexts, Extension));

    private static readonly KeyTable Dns = new("check-dns", "A name that is looked up as programs do it.",
        new("name", "The name.", Text, Extension) { Required = true },
        new("resolves", "Whether it must; default `true`.", Flag, Extension),
        new("addresses", "Addresses that must be among the answers.", TextOrTexts, Extension));

    private static readonly KeyTable Gpu = new("check-gpu", "The GPUs of this machine, as NVML shows them.",
        new("count", "How many there must be: a number, or a range as in `>=1`; default `>=1`.", Text, Extension),
        new("model", "What each must be called: a name with or without the maker's, or `/regex/`.", Text, Extension),
        new("memory", "The memory of each, as in `24GiB` or `>=16GiB`; an exact one allows for what the driver keeps.", Text, Extension),
        new("driver", $"The driver's version, {Range}.", Text, Extension),
        new("cuda", "The newest CUDA that the driver runs, as in `>=12.4`.", Text, Extension));

    private static readonly KeyTable Fact = new("check-fact", "Any fact of the machine, as `stoker host facts --json` prints it.",
        new("path", "Where it is in that document, as in `cpu.cores` or `os.version`.", Text, Extension) { Required = true },
        new("is", $"What it must be: a value, `/regex/`, or a range {Range}.", Text, Extension) { Required = true });

    public static readonly KeyTable Check = new("check", "One assertion about a machine: exactly one of the kinds, and how it is made.",
        new("description", "What it is for, in a line for people.", Text, Extension),
        new("needs", "Checks beside it that must have passed first; else it is not made, and unknown.", DistinctTexts, Extension),
        new("retries", "How often it is made again while it does not pass; default 0.", Shapes.Range(0, 1000), Extension),
        new("interval", "How long it waits before it is made again; default 1s.", Duration, Extension),
        new("timeout", "How long it may take each time; default 10s.", Interval, Extension),
        new("hint", "How to mend it, for people; default: what is usual for its kind.", Text, Extension),
        new("file", "A file, directory, link or device: its path, or what it must be.", OneOf(Text, Keyed(File)), Extension),
        new("mount", "A mounted file system: its path, or what it must be.", OneOf(Text, Keyed(Mount)), Extension),
        new("package", "A package: its name, or what it must be.", OneOf(Text, Keyed(Package)), Extension),
        new("service", "A service of systemd that must run: its name, or what it must be.", OneOf(Text, Keyed(Service)), Extension),
        new("port", "A port that must be open: its number, or what it must be.", OneOf(Shapes.Port, Keyed(Port)), Extension),
        new("user", "A user: its name, or what it must be.", OneOf(Text, Keyed(User)), Extension),
        new("group", "A group: its name, or what it must be.", OneOf(Text, Keyed(Group)), Extension),
        new("kernel_parameter", "A parameter of the kernel.", Keyed(Parameter), Extension),
        new("command", "A command that must succeed: its words, or what it must answer.", OneOf(Text, Keyed(Command)), Extension),
        new("http", "A URL that must answer well, or what it must answer.", OneOf(Text, Keyed(Http)), Extension),
        new("dns", "A name that must resolve, or what it must resolve to.", OneOf(Text, Keyed(Dns)), Extension),
        new("gpu", "The GPUs of this machine.", Keyed(Gpu), Extension),
        new("fact", "Any fact of the machine.", Keyed(Fact), Extension));

    /// <summary>Checks by name.</summary>
    public static readonly Shape Checks = Named(Keyed(Check));

    private static readonly KeyTable Profile = new("profile", "A list of checks under a name: `stoker doctor --profile NAME`, or `--profile NAME,NAME` for one report over several.",
        new("description", "What it is for, in a line for people.", Text, Extension),
        new("includes", "Other profiles whose checks belong to it, also those that Stoker has: `onboarding`, `gpu`, `gateway`.", DistinctTexts, Extension),
        new("budget", "How long all of it may take; what is not done by then is unknown. Default: no end.", Interval, Extension),
        new("checks", "Its checks, by name; one of the name of an included one takes its place.", Checks, Extension));

    /// <summary>Profiles by name.</summary>
    public static readonly Shape Profiles = Named(Keyed(Profile));
}
