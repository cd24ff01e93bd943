using System.Diagnostics;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Hosts;

/// <summary>
/// This machine over again, for as long as a drill lasts: the same files and tools under an overlay in a mount namespace of its own, so that what is installed, written and removed there touches
/// nothing here, and is gone with it. Its /etc is a copy, since other drills write to that of the machine (podman its networks), which an overlay would show; what layers make and keep elsewhere is in
/// directories of its own. Packages come from a repository of two that is made there.
/// </summary>
public sealed class CopiedMachine : IDisposable
{
    private const string Opening = """
        set -e
        mount --make-rprivate /
        mount -t tmpfs -o size=512m tmpfs "$1"
        mkdir "$1/up" "$1/work" "$1/root"
        mount -t overlay overlay -o lowerdir=/,upperdir="$1/up",workdir="$1/work" "$1/root"
        cp -a /etc "$1" 2>/dev/null || test -s "$1/etc/passwd"
        mount --bind "$1/etc" "$1/root/etc"
        mount --rbind /proc "$1/root/proc"
        mount --rbind /sys "$1/root/sys"
        mount --rbind /dev "$1/root/dev"
        for own in tmp srv root/estate var/lib/stoker; do
            mkdir -p "$1/root/$own"
            mount -t tmpfs -o mode=755 tmpfs "$1/root/$own"
        done
        chmod 1777 "$1/root/tmp"
        mkdir -p "$1/root$2"
        mount --bind "$2" "$1/root$2"
        echo ready
        exec cat >/dev/null
        """;

    private readonly string _place = Directory.CreateTempSubdirectory("stoker-copied-").FullName;
    private readonly Process _keeper;

    public CopiedMachine()
    {
        var start = new ProcessStartInfo("unshare", ["-m", "sh", "-c", Opening, "sh", _place, Machine.Repository]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        _keeper = Process.Start(start)!;
        var said = _keeper.StandardOutput.ReadLine();
        // Root of a container may not always mount.
        Assert.SkipUnless(said == "ready", $"the machine cannot be copied here: {said}{(said is null ? _keeper.StandardError.ReadToEnd() : "")}");
    }

    /// <summary>Why there can be none here; null when there can.</summary>
    public static string? Missing =>
        Environment.UserName != "root" ? "mounts are made as root"
        : !File.ReadAllText("/proc/filesystems").Contains("overlay", StringComparison.Ordinal) ? "the kernel has no overlay file system"
        : !File.Exists("/usr/bin/apt-get") || !File.Exists("/usr/bin/dpkg-deb") ? "this is no Debian"
        : null;

    /// <summary>Runs a shell script there, as root.</summary>
    public Ran Run(string script)
    {
        var start = new ProcessStartInfo("nsenter", [$"--mount=/proc/{_keeper.Id}/ns/mnt", "chroot", $"{_place}/root", "sh", "-s"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["NO_COLOR"] = "1";
        start.Environment["HOME"] = "/root";
        start.Environment.Remove("STOKER_STATE");
        using var shell = Process.Start(start)!;
        var output = shell.StandardOutput.ReadToEndAsync();
        var errors = shell.StandardError.ReadToEndAsync();
        shell.StandardInput.Write(script);
        shell.StandardInput.Close();
        if (!shell.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            shell.Kill(entireProcessTree: true);
            Assert.Fail($"not done within five minutes: {script}");
        }

        shell.WaitForExit();
        return new Ran(shell.ExitCode, output.Result, errors.Result);
    }

    /// <summary>Runs Stoker there, with the estate in /root/estate.</summary>
    public Ran Stoker(string words) => Run($"cd /root/estate && exec {Machine.Program} {words}");

    public void Write(string path, string text) => Run($"mkdir -p '{Path.GetDirectoryName(path)}'; cat >'{path}' <<'END-OF-FILE'\n{text}\nEND-OF-FILE\n").Succeeded();

    /// <summary>A repository with <c>drill-tool</c> 1.0, which needs <c>drill-library</c>, and nothing else to install from.</summary>
    public void MakeRepository() => Run("""
        set -e
        mkdir -p /srv/repository && cd /srv/repository
        for package in drill-tool drill-library; do
          mkdir -p /tmp/$package/DEBIAN /tmp/$package/usr/share/$package
          echo content >/tmp/$package/usr/share/$package/file
          { echo "Package: $package"; echo 'Version: 1.0-1'; echo 'Architecture: all'; echo 'Maintainer: Drill <drill@example.org>'; echo 'Description: a package of the drill'
            [ $package = drill-library ] || echo 'Depends: drill-library'; } >/tmp/$package/DEBIAN/control
          dpkg-deb --root-owner-group -b /tmp/$package $package.deb >/dev/null
          { cat /tmp/$package/DEBIAN/control; echo "Filename: ./$package.deb"; echo "Size: $(stat -c %s $package.deb)"; echo "SHA256: $(sha256sum $package.deb | cut -d' ' -f1)"; echo; } >>Packages
        done
        rm -rf /tmp/drill-* /etc/apt/sources.list.d/* /var/lib/apt/lists/*
        echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list
        apt-get update -qq
        """).Succeeded();

    /// <summary>
    /// Everything that a layer could have changed, in lines to be compared: packages, users, groups, and each file with mode, owner and content. Left out are what tools keep for themselves:
    /// logs, caches, the copies that useradd makes of its files, and Stoker's own journal.
    /// </summary>
    public string Picture() => Run("""
        dpkg-query -W -f '${Package} ${Version} ${Status}\n'
        getent passwd | sort; getent group | sort; cut -d: -f1,2 /etc/shadow | sort
        cd / && find etc srv root/estate \( -path etc/apt -o -path 'etc/*-' -o -path etc/ld.so.cache \) -prune -o \( -type f -printf '%p %m %u:%g ' -exec sha256sum {} \; -o -type d -printf '%p %m %u:%g\n' -o -type l -printf '%p -> %l\n' \) | sort
        """).Succeeded().Output;

    public void Dispose()
    {
        _keeper.StandardInput.Close();
        _keeper.WaitForExit();
        _keeper.Dispose();
        // What was mounted is gone with the namespace; the directory itself was never written to.
        Directory.Delete(_place, recursive: true);
    }
}
