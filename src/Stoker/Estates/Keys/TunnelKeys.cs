using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of <c>tunnel:</c>; all are Stoker's own.</summary>
internal static class TunnelKeys
{
    private static readonly KeyTable Ngrok = new("tunnel-ngrok", "A public address by ngrok, whose token is the variable `NGROK_AUTHTOKEN` of the daemon or in its configuration file.",
        new("to", "Port, or `HOST:PORT`, that the public address leads to.", Text, Extension) { Required = true },
        new("url", "The public address, where one is reserved; default: one that ngrok chooses and logs.", Text, Extension),
        new("config", "ngrok's configuration file; default: its own.", Text, Extension));

    private static readonly KeyTable Cloudflared = new("tunnel-cloudflared",
        "A public address by cloudflared: a named tunnel with the variable `TUNNEL_TOKEN` of the daemon or a file, or else a quick one.",
        new("to", "Port, or `HOST:PORT`, that a quick tunnel's public address leads to; a named one is told by its owner's account.", Text, Extension),
        new("token_file", "File with the token of a named tunnel.", Text, Extension));

    private static readonly KeyTable SshReverse = new("tunnel-ssh-reverse", "A public address by a server of one's own: it listens there, and what comes is forwarded here.",
        new("ssh", "The server: `[USER@]HOST[:PORT]`.", Text, Extension) { Required = true },
        new("listen", "Port, or `ADDRESS:PORT`, that the server listens on; other addresses than its loopback need `GatewayPorts clientspecified` there.", Text, Extension) { Required = true },
        new("to", "Port, or `HOST:PORT`, that it leads to.", Text, Extension) { Required = true });

    public static readonly KeyTable Table = new("tunnel", "A connection that is kept up: by SSH through a bastion, or a public address for a local port.",
        new("ssh", "The far end: `[USER@]HOST[:PORT]`.", Text, Extension),
        new("forward", "Ports here that lead there: `[ADDRESS:]PORT:HOST:PORT`; address by default 127.0.0.1.", List(Text), Extension),
        new("reverse", "Ports there that lead here: `[ADDRESS:]PORT:HOST:PORT`.", List(Text), Extension),
        new("identity", "File with the private key, which nobody else may read; default: what ssh finds.", Text, Extension),
        new("known_hosts", "File with the far end's host key; default: the user's own.", Text, Extension),
        new("ngrok", "A public address by ngrok.", Keyed(Ngrok), Extension),
        new("cloudflared", "A public address by cloudflared.", OrNothing(Keyed(Cloudflared)), Extension),
        new("ssh_reverse", "A public address by a server of one's own.", Keyed(SshReverse), Extension),
        new("probe", "What is asked through it: `tcp` (default: the first forward has to hold a connection), a path (a GET through the first forward), or a URL.", Text, Extension));
}
