using Stoker.Estates.Keys;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Hosts.Layers;

/// <summary>The keys of <c>layers:</c>; all are Stoker's own.</summary>
internal static class LayerKeys
{
    private static readonly KeyTable Packages = new("layer-packages", "Packages of the system's package manager.",
        new("present", "Those that must be there.", DistinctTexts, Extension),
        new("absent", "Those that must not.", DistinctTexts, Extension));

    private static readonly KeyTable Group = new("layer-group", "A group of users.",
        new("name", "Its name.", Text, Extension) { Required = true },
        new("gid", "Its number; default: the system's choice.", Natural, Extension));

    private static readonly KeyTable User = new("layer-user", "A user. It is made without a password; its home is made only where a directory says so.",
        new("name", "Its name.", Text, Extension) { Required = true },
        new("uid", "Its number; default: the system's choice.", Natural, Extension),
        new("group", "Its own group, which must be there; default: one of its name.", Text, Extension),
        new("groups", "Further groups that it must be in; those that it is in beside them are left.", TextOrTexts, Extension),
        new("home", "Its home directory; default: as `useradd` has it.", Text, Extension),
        new("shell", "Its shell; default: as `useradd` has it.", Text, Extension),
        new("system", "Whether a new one is a system's user, with a low number; default `false`.", Flag, Extension));

    private static readonly KeyTable Directory = new("layer-directory", "A directory.",
        new("path", "Where it is.", Text, Extension) { Required = true },
        new("owner", "The user that owns it; default `root`.", Text, Extension),
        new("group", "The group that owns it; default `root`.", Text, Extension),
        new("mode", "Its permissions; default `0755`.", Octal, Extension));

    private static readonly KeyTable File = new("layer-file", "A file, with its content.",
        new("path", "Where it is.", Text, Extension) { Required = true },
        new("content", "Its content.", TextOrEmpty, Extension),
        new("source", "A file beside the estate's whose content it gets.", Text, Extension),
        new("owner", "The user that owns it; default `root`.", Text, Extension),
        new("group", "The group that owns it; default `root`.", Text, Extension),
        new("mode", "Its permissions; default `0644`.", Octal, Extension),
        new("secret", "Whether its content is never shown; default `false`.", Flag, Extension));

    private static readonly KeyTable Command = new("layer-command", "A command, run as root without a shell.",
        new("run", "The command: a string that is split into words, or the words.", TextOrTexts, Extension) { Required = true },
        new("unless", "A command that succeeds where nothing is to be done; default: it is run when a step before it in the layer changed something.", TextOrTexts, Extension),
        new("undo", "A command that takes back what it did, at a rollback.", TextOrTexts, Extension),
        new("timeout", "How long it may take; default 10m.", Interval, Extension));

    private static readonly KeyTable AnsibleUndo = new("layer-ansible-undo", "A role or a playbook of Ansible that takes back what another did.",
        new("role", "The role's directory.", Text, Extension),
        new("playbook", "The playbook.", Text, Extension),
        new("variables", "Variables for it.", TextMap, Extension));

    private static readonly KeyTable Ansible = new("layer-ansible", "A role or a playbook of Ansible, run on the host for the host itself. Its check mode says whether there is anything to change.",
        new("role", "The role's directory, relative to this file.", Text, Extension),
        new("playbook", "The playbook, relative to this file; its plays have to be for `localhost` or `all`.", Text, Extension),
        new("variables", "Variables for it.", TextMap, Extension),
        new("undo", "What takes back what it did, at a rollback.", Keyed(AnsibleUndo), Extension),
        new("timeout", "How long it may take; default 30m.", Interval, Extension));

    private static readonly KeyTable Step = new("layer-step", "One thing that a layer sees to: exactly one of the kinds.",
        new("packages", "Packages that must be there, or those that must and must not.", OneOf(DistinctTexts, Keyed(Packages)), Extension),
        new("group", "A group that must be there.", OneOf(Text, Keyed(Group)), Extension),
        new("user", "A user that must be there.", OneOf(Text, Keyed(User)), Extension),
        new("directory", "A directory that must be there, with its owner and mode.", OneOf(Text, Keyed(Directory)), Extension),
        new("file", "A file that must be there, with its content, owner and mode.", Keyed(File), Extension),
        new("absent", "The path of a file, link or empty directory that must not be there.", Text, Extension),
        new("command", "A command.", OneOf(Text, Keyed(Command)), Extension),
        new("ansible", "A role or a playbook of Ansible.", Keyed(Ansible), Extension));

    private static readonly KeyTable Layer = new("layer", "An ordered requirement on hosts: what is verified, applied and rolled back.",
        new("description", "What it is for, in a line for people.", Text, Extension),
        new("hosts", "The hosts that must have it; default: all.", DistinctTexts, Extension),
        new("needs", "Layers that must be there before it.", DistinctTexts, Extension),
        new("use", "A layer that Stoker has ready, by name: `stoker host layers shipped` lists them. What is declared beside it comes after it.", Text, Extension),
        new("with", "What the layer of `use` is told, by name.", Map(OneOf(Text, Texts)), Extension),
        new("verify", "Checks that tell whether it is there and does what it is for, by name.", CheckKeys.Checks, Extension),
        new("apply", "What it sees to, in order.", List(Keyed(Step)), Extension),
        new("rollback", "Commands that are run at the end of a rollback, when files, users and packages are as they were.", List(OneOf(Text, Keyed(Command))), Extension));

    public static readonly Shape Section = Named(Keyed(Layer));
}
