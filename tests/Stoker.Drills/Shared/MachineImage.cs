using System.Diagnostics;
using System.Security.Cryptography;

namespace Stoker.Drills.Shared;

/// <summary>
/// What a virtual machine boots from: a small Debian made once by <c>make-machine-image</c>, and the program with the .NET that
/// runs it. Both are kept under <c>artifacts/vm</c>, the first by its recipe, the second by its build.
/// </summary>
internal sealed record MachineImage(string System, string Program)
{
    private static readonly string[] Tools = ["qemu-system-x86_64", "debootstrap", "mkfs.ext4", "ssh", "ssh-keygen"];
    private static readonly Lazy<MachineImage> Made = new(Make);

    /// <summary>Why there can be none here; null when there can.</summary>
    public static string? Missing =>
        Environment.UserName != "root" ? "a virtual machine's disk is made as root"
        : Array.Find(Tools, tool => !IsInstalled(tool)) is { } absent ? $"{absent} is not installed"
        : null;

    /// <summary>Made when it is asked for first: minutes once, then seconds.</summary>
    public static MachineImage Current => Made.Value;

    private static MachineImage Make()
    {
        var place = Path.Combine(Machine.Repository, "artifacts", "vm");
        Directory.CreateDirectory(place);
        var recipe = Path.Combine(Machine.Repository, "tests", "Stoker.Drills", "Shared", "make-machine-image");
        var system = Path.Combine(place, "debian-" + Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(recipe)).AsSpan(0, 4)));
        if (!Directory.Exists(system)) Do(recipe, system);
        return new MachineImage(system, MakeProgram(place));
    }

    private static string MakeProgram(string place)
    {
        var build = Path.GetDirectoryName(Machine.Program)!;
        var image = Path.Combine(place, $"program-{Path.GetFileName(build)}.img");
        if (File.Exists(image)) return image;
        foreach (var old in Directory.GetFiles(place, "program-*.img")) File.Delete(old);
        var tree = Directory.CreateTempSubdirectory("stoker-program-").FullName;
        try
        {
            // The runtime goes with it, where the launcher's link leads its program: the machine has no .NET.
            var runtime = Path.Combine(tree, "dotnet");
            Do("sh", "-ec", """
                for file in "$1"/*; do [ "${file##*/}" = dotnet ] || cp "$file" "$2"; done
                mkdir -p "$3/shared"
                cp -r "$1/dotnet/host" "$3"
                cp -r "$1/dotnet/shared/Microsoft.NETCore.App" "$1/dotnet/shared/Microsoft.AspNetCore.App" "$3/shared"
                truncate -s 512M "$4.new"
                mkfs.ext4 -q -F -O ^has_journal -d "$2" "$4.new"
                mv "$4.new" "$4"
                """, "sh", build, tree, runtime, image);
            return image;
        }
        finally
        {
            Directory.Delete(tree, recursive: true);
        }
    }

    private static bool IsInstalled(string tool) =>
        ((string[])[.. Environment.GetEnvironmentVariable("PATH")!.Split(':'), "/usr/sbin", "/sbin"]).Any(d => File.Exists(Path.Combine(d, tool)));

    private static void Do(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{Path.GetFileName(command)} ended with {process.ExitCode}: {output.Result}{errors.Result}");
    }
}
