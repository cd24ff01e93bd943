using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of <c>ports:</c> and <c>volumes:</c> in their long forms.</summary>
internal static class MountKeys
{
    public static readonly KeyTable Port = new("port", "A port of a service.",
        new("target", "The port inside the container; for a plain process the same as `published`.", Port16(), Honoured) { Required = true },
        new("published", "The port on the host, or a range that replicas share out; default: the container tool picks one.", Text, Honoured),
        new("host_ip", "Address of the host to listen on; default: all.", Text, Honoured),
        new("protocol", "`tcp` (default), `udp` or `sctp`.", Word("tcp", "udp", "sctp"), Honoured),
        new("app_protocol", "What is spoken on it, as in `http`; shown to people.", Text, Honoured),
        new("name", "What the port is for; shown to people.", Text, Honoured),
        new("mode", "`host` or `ingress`, which are the same on one host.", Word("host", "ingress"), Honoured));

    private static readonly KeyTable Bind = new("bind-options", "Options of a bind mount.",
        new("propagation", "How mounts below it are passed on.", Word("shared", "slave", "private", "rshared", "rslave", "rprivate"), Honoured),
        new("create_host_path", "Make the directory on the host where it is missing; default `true`.", Flag, Honoured),
        new("recursive", "Whether mounts below it are mounted too.", Word("enabled", "disabled", "writable", "readonly"),
            Warned("Podman has no such option: mounts below it are mounted too")) { Harmless = "enabled" },
        new("selinux", "`z` for content that containers share, `Z` for this one's own.", Word("z", "Z"), Honoured));

    private static readonly KeyTable Volume = new("volume-options", "Options of a volume mount.",
        new("labels", "Labels of the volume.", Pairs, Warned("label the volume in the top-level `volumes`")),
        new("nocopy", "Do not fill a new volume from the image; default `false`.", Flag, Honoured),
        new KeyRow("subpath", "Directory within the volume.", Text, Refused("Podman and Docker do not share an option for it", "mount the whole volume")));

    private static readonly KeyTable Tmpfs = new("tmpfs-options", "Options of a tmpfs.",
        new("size", "Most memory it may take; default: no limit.", Size, Honoured),
        new("mode", "Mode of the directory, always octal.", Octal, Honoured));

    private static readonly KeyTable Image = new("image-mount-options", "Options of an image mount.",
        new KeyRow("subpath", "Directory within the image.", Text, Honoured));

    public static readonly KeyTable Mount = new("mount", "Something mounted into a container.",
        new("type", "`bind`, `volume` or `tmpfs`.", Word("bind", "volume", "tmpfs", "cluster", "npipe", "image"), Honoured) { Required = true },
        new("source", "Path on the host, or key of a volume; none for tmpfs.", Text, Honoured),
        new("target", "Path in the container.", Text, Honoured) { Required = true },
        new("read_only", "The container may not write to it; default `false`.", Flag, Honoured),
        new("consistency", "Trade of consistency for speed on macOS.", Text, Warned("it is about macOS")),
        new("bind", "Options of a bind mount.", Keyed(Bind), Honoured),
        new("volume", "Options of a volume mount.", Keyed(Volume), Honoured),
        new("tmpfs", "Options of a tmpfs.", Keyed(Tmpfs), Honoured),
        new("image", "Options of an image mount.", Keyed(Image), Warned("images are not mounted")));

    private static Shape Port16() => Shapes.Port;
}
