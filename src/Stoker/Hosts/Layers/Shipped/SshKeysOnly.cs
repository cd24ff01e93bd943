namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// Nobody comes in with a password. Refuses where nobody would come in any more: without a key that the server takes, or where its configuration does not read the file that says so.
/// The configuration is tested by the server itself before the file is written, and once more before it is read.
/// </summary>
internal static class SshKeysOnly
{
    private const string Place = "/etc/ssh/sshd_config.d/00-stoker.conf";

    // The first that is said counts, and the main configuration includes this one at its top.
    private const string Text = """
        # Written by Stoker: who comes in has a key.
        PubkeyAuthentication yes
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitEmptyPasswords no
        PermitRootLogin prohibit-password
        MaxAuthTries 4
        LoginGraceTime 30

        """;

    public static ShippedLayer Layer { get; } = new(
        "ssh-keys-only",
        "the SSH server takes keys and no passwords; refused where that would lock the owner out",
        [new("users", ParameterKind.Accounts, "users that must come in with a key they have; default: anybody with a shell will do")],
        call => new LayerContent(
            [
                new LayerStep.OnMachine(doors => StepsAsync(doors, call.List("users"))),
                ShippedCall.Run("sshd", "-t"),
                ShippedCall.Run("systemctl", "try-reload-or-restart", "ssh.service"),
            ],
            [
                call.Says("no-passwords", ["sh", "-c", "sshd -T | grep -E '^(password|kbdinteractive)authentication '"], "passwordauthentication no", "kbdinteractiveauthentication no"),
            ],
            [ShippedCall.ReloadIfThere("ssh.service")]));

    private static async Task<IReadOnlyList<LayerStep>> StepsAsync(LayerDoors doors, IReadOnlyList<string> users)
    {
        var settings = await SshServer.SettingsAsync(doors, Text);
        if (await SshServer.LockedOutAsync(doors, settings, users) is { Count: > 0 } reasons)
            throw new LayerFailedException($"refused, because it would lock the owner out: {string.Join("; ", reasons)}");
        if (settings["authenticationmethods"].FirstOrDefault() is { } methods && methods != "any" && !methods.Split(' ').Contains("publickey"))
            throw new LayerFailedException($"refused, because it would lock the owner out: `AuthenticationMethods {methods}` wants more than a key");
        if (!IsIncluded(System.Text.Encoding.UTF8.GetString(Platform.Files.ReadAllBytes(SshServer.Configuration))))
            throw new LayerFailedException($"`{SshServer.Configuration}` does not include `/etc/ssh/sshd_config.d/*.conf` before it says anything else: put that line at its top");
        return [ShippedCall.File(Place, Text)];
    }

    /// <summary>What stands before the include would count, and not this file.</summary>
    internal static bool IsIncluded(string configuration) =>
        configuration.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.Length > 0 && l[0] != '#') is { } first
        && first.StartsWith("Include", StringComparison.OrdinalIgnoreCase) && first.Contains("sshd_config.d/*.conf", StringComparison.Ordinal);
}
