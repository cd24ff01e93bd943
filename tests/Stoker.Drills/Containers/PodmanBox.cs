using Stoker.Platform;

namespace Stoker.Drills.Containers;

/// <summary>A real Podman and a small image, made from busybox in seconds; or the reason why there is none here.</summary>
internal static class PodmanBox
{
    public const string Image = "localhost/stoker-drill-box:1";

    private static readonly Lazy<string?> Trouble = new(Prepare);

    public static string Podman { get; private set; } = "";

    /// <summary>Null when containers can be run here.</summary>
    public static string? Missing => Trouble.Value;

    /// <summary>Of the OCI runtimes, runc takes every mixture of cgroups; the default hard limits are above what a build machine allows.</summary>
    public static string? OciRuntime { get; private set; }

    public static string Run(params string[] arguments)
    {
        var outcome = ShortCommand.RunAsync(Podman, arguments, HostEnvironment.Variables, TimeSpan.FromMinutes(2)).GetAwaiter().GetResult();
        return outcome is ShortCommandOutcome.Ended { Status.IsSuccess: true, Output: var output }
            ? output
            : throw new InvalidOperationException($"podman {string.Join(' ', arguments)}: {outcome.Words}");
    }

    private static string? Prepare()
    {
        var path = HostEnvironment.Variable("PATH");
        if (Executables.Find("podman", path, "/") is not { } podman) return "podman is not installed";
        if (Executables.Find("busybox", path, "/") is not { } busybox) return "busybox (static) is not installed";
        Podman = podman;
        OciRuntime = Executables.Find("runc", path, "/") is null ? null : "runc";
        try
        {
            Import(busybox);
            string[] runtime = OciRuntime is null ? [] : [$"--runtime={OciRuntime}"];
            Run([.. runtime, "run", "--rm", "--network=host", "--ulimit=nofile=10000:10000", "--ulimit=nproc=10000:10000", Image, "/bin/true"]);
            return null;
        }
        catch (Exception problem) when (problem is InvalidOperationException or IOException)
        {
            return $"containers do not run here: {problem.Message}";
        }
    }

    private static void Import(string busybox)
    {
        var root = Directory.CreateTempSubdirectory("stoker-box-").FullName;
        try
        {
            foreach (var directory in (string[])["bin", "etc", "tmp", "proc", "sys", "dev", "run", "srv"]) Directory.CreateDirectory(Path.Combine(root, directory));
            File.Copy(busybox, Path.Combine(root, "bin/busybox"));
            foreach (var applet in (string[])["sh", "sleep", "echo", "env", "cat", "kill", "ps", "setsid", "httpd", "wget", "nc", "true", "false", "id", "touch", "ls", "mkdir", "pwd", "nslookup"])
                File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
            File.WriteAllText(Path.Combine(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n");
            File.WriteAllText(Path.Combine(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
            var archive = root + ".tar";
            System.Formats.Tar.TarFile.CreateFromDirectory(root, archive, includeBaseDirectory: false);
            Run("import", archive, Image);
            File.Delete(archive);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
