using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Hosts;

/// <summary>Layers on a copy of this machine: packages by apt, users by useradd, real files; applied, verified, broken off, rolled back and compared.</summary>
public sealed class LayerDrills : IDisposable
{
    private const string Estate = """
        name: drill
        hosts: {here: {}}
        layers:
          base:
            description: what the models stand on
            apply:
              - packages: [drill-tool]
              - group: drillers
              - user: {name: driller, group: drillers, home: /srv/driller, shell: /usr/sbin/nologin}
              - directory: {path: /srv/deep/models, owner: driller, group: drillers, mode: "0750"}
              - file: {path: /srv/deep/models/list, content: "one\ntwo\n", owner: driller, group: drillers, mode: "0640"}
              - file: {path: /etc/drill.conf, content: "a = 1\nb = 20\nc = 3\n"}
              - absent: /etc/drill.old
              - command: {run: cp /etc/drill.conf /etc/drill.seen, unless: cmp -s /etc/drill.conf /etc/drill.seen, undo: rm /etc/drill.seen}
            verify:
              tool: {package: {name: drill-tool, version: ">=1.0"}}
              user: {user: {name: driller, group: drillers}}
              list: {file: {path: /srv/deep/models/list, owner: driller, mode: "0640", contains: two}, needs: [user]}
          models:
            needs: [base]
            apply:
              - file: {path: /srv/deep/models/extra, content: "three\n"}
        """;

    private readonly CopiedMachine _machine;

    public LayerDrills()
    {
        Assert.SkipWhen(CopiedMachine.Missing is not null, CopiedMachine.Missing ?? "");
        _machine = new CopiedMachine();
        _machine.MakeRepository();
        _machine.Write("/root/estate/stoker.yaml", Estate);
        _machine.Write("/etc/drill.conf", "a = 1\nb = 2\nc = 3");
        _machine.Run("chmod 0600 /etc/drill.conf; ln -s elsewhere /etc/drill.old").Succeeded();
    }

    public void Dispose() => _machine?.Dispose();

    [Fact]
    public void What_differs_is_shown_then_changed_verified_and_taken_back_exactly()
    {
        var before = _machine.Picture();

        var plan = _machine.Stoker("host layers plan").Succeeded().Output;
        Assert.Contains("~ packages: install drill-tool", plan, StringComparison.Ordinal);
        Assert.Contains("~ user driller: make it", plan, StringComparison.Ordinal);
        Assert.Contains("      - b = 2\n      + b = 20\n", plan, StringComparison.Ordinal);
        Assert.Equal(before, _machine.Picture());

        var applied = _machine.Stoker("host layers apply").Succeeded().Output;
        Assert.Contains("base  applied, 9 changes made, 3 verified", applied, StringComparison.Ordinal);
        Assert.Equal("1.0-1\n1.0-1\n", _machine.Run("dpkg-query -W -f '${Version}\\n' drill-tool drill-library").Succeeded().Output);
        Assert.Equal("driller drillers 640\n", _machine.Run("stat -c '%U %G %a' /srv/deep/models/list").Output);
        Assert.Equal("driller:!:", string.Join(':', _machine.Run("grep driller /etc/shadow").Output.Split(':')[..2]) + ":");
        Assert.NotEqual(0, _machine.Run("test -L /etc/drill.old").Code);

        // Once it is there, nothing is done.
        Assert.Contains("base  applied, was in place", _machine.Stoker("host layers apply").Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("base  in place", _machine.Stoker("host layers plan").Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("3 passed, 0 failed, 0 unknown", _machine.Stoker("host layers verify").Succeeded().Output, StringComparison.Ordinal);

        var refused = _machine.Stoker("host layers rollback base");
        Assert.Equal(4, refused.Code);
        Assert.Contains("stoker host layers rollback models base", refused.Errors, StringComparison.Ordinal);

        _machine.Stoker("host layers rollback base models").Succeeded();
        Assert.Equal(before, _machine.Picture());
    }

    [Fact]
    public void A_rollback_over_a_change_by_hand_is_refused_with_the_difference_and_touches_nothing()
    {
        _machine.Stoker("host layers apply").Succeeded();
        _machine.Run("echo 'd = 4' >>/etc/drill.conf; usermod -s /bin/sh driller; dpkg --purge drill-tool; touch /srv/deep/models/mine").Succeeded();
        var before = _machine.Picture();

        var refused = _machine.Stoker("host layers rollback models base");

        Assert.Equal(4, refused.Code);
        Assert.Contains("file /etc/drill.conf: the layer left file 0644 root:root, now file 0644 root:root with another content", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("+ d = 4", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("user driller: the layer left", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("package drill-tool: the layer left 1.0-1, now it is not installed", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("directory /srv/deep/models: 1 in it that no layer made, mine for one", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(before, _machine.Picture());
    }

    [Fact]
    public void The_first_failure_ends_it_and_the_next_run_goes_on_from_there()
    {
        _machine.Run("sed -i 's|cp /etc/drill.conf|cp /etc/not-there|' /root/estate/stoker.yaml").Succeeded();

        var failed = _machine.Stoker("host layers apply");

        Assert.Equal(1, failed.Code);
        Assert.Contains("base  failed, 8 changes made: `cp /etc/not-there /etc/drill.seen` exited with 1: ", failed.Output, StringComparison.Ordinal);
        Assert.Contains("No such file or directory", failed.Output, StringComparison.Ordinal);
        Assert.Contains("not begun: models", failed.Output, StringComparison.Ordinal);
        Assert.NotEqual(0, _machine.Run("test -e /srv/deep/models/extra").Code);

        _machine.Run("sed -i 's|cp /etc/not-there|cp /etc/drill.conf|' /root/estate/stoker.yaml").Succeeded();
        Assert.Contains("base  applied, 1 change made, 3 verified", _machine.Stoker("host layers apply").Succeeded().Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_that_is_killed_in_the_middle_is_taken_back_exactly_whether_it_is_finished_first_or_not(bool isFinished)
    {
        var before = _machine.Picture();
        // The command's parent is Stoker itself.
        _machine.Run("sed -i 's|run: cp /etc/drill.conf /etc/drill.seen,|run: [sh, -c, \"kill -9 $$PPID\"],|' /root/estate/stoker.yaml").Succeeded();
        Assert.Equal(137, _machine.Run($"cd /root/estate; {Machine.Program} host layers apply base").Code);
        Assert.NotEqual(before, _machine.Picture());

        _machine.Write("/root/estate/stoker.yaml", Estate);
        if (isFinished) Assert.Contains("base  applied, 1 change made", _machine.Stoker("host layers apply base").Succeeded().Output, StringComparison.Ordinal);
        _machine.Stoker("host layers rollback base").Succeeded();

        Assert.Equal(before, _machine.Picture());
    }

    [Fact]
    public void A_role_of_Ansible_is_asked_what_it_would_change_run_and_taken_back_by_another()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/ansible-playbook"), "ansible-core is not installed");
        _machine.Write("/root/estate/roles/motd/tasks/main.yml", """
            - name: the message
              ansible.builtin.copy: {content: "{{ words }}\n", dest: /etc/drill.motd, mode: "0644"}
            - name: the directory
              ansible.builtin.file: {path: /srv/drilled, state: directory, mode: "0700"}
            """);
        _machine.Write("/root/estate/undo.yaml", """
            - hosts: localhost
              tasks:
                - ansible.builtin.file: {path: "{{ item }}", state: absent}
                  loop: [/etc/drill.motd, /srv/drilled]
            """);
        _machine.Write("/root/estate/stoker.yaml", """
            name: drill
            hosts: {here: {}}
            layers:
              motd:
                apply:
                  - ansible: {role: roles/motd, variables: {words: hello there}, undo: {playbook: undo.yaml}}
                verify:
                  motd: {file: {path: /etc/drill.motd, contains: hello there}}
            """);
        var before = _machine.Picture();

        var plan = _machine.Stoker("host layers plan").Succeeded().Output;
        Assert.Contains("~ ansible: role /root/estate/roles/motd, 2 tasks\n", plan, StringComparison.Ordinal);
        Assert.Contains("the message\n", plan, StringComparison.Ordinal);
        Assert.Contains("the directory\n", plan, StringComparison.Ordinal);
        Assert.Equal(before, _machine.Picture());
        Assert.Contains("motd  applied, 1 change made, 1 verified", _machine.Stoker("host layers apply").Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("motd  applied, was in place", _machine.Stoker("host layers apply").Succeeded().Output, StringComparison.Ordinal);

        // Half of it fails: the message is changed, the directory is no directory any more.
        _machine.Run("rmdir /srv/drilled; echo in the way >/srv/drilled; echo other >/etc/drill.motd").Succeeded();
        var failed = _machine.Stoker("host layers apply");
        Assert.Equal(1, failed.Code);
        Assert.Contains("motd  failed", failed.Output, StringComparison.Ordinal);
        // A role that is given by its path has that as its name.
        Assert.Contains("roles/motd : the directory`: fatal: [localhost]: FAILED! => ", failed.Output, StringComparison.Ordinal);

        _machine.Stoker("host layers rollback motd").Succeeded();
        Assert.Equal(before, _machine.Picture());
    }

    [Fact]
    public void A_disk_that_is_full_fails_the_step_and_leaves_what_was_there()
    {
        _machine.Write("/root/estate/stoker.yaml", """
            name: drill
            hosts: {here: {}}
            layers:
              big:
                apply:
                  - file: {path: /srv/small/data, source: /root/estate/large}
            """);
        _machine.Run("mkdir -p /srv/small; mount -t tmpfs -o size=64k tmpfs /srv/small; echo old >/srv/small/data; head -c 200000 /dev/zero >/root/estate/large").Succeeded();

        var failed = _machine.Stoker("host layers apply");

        Assert.Equal(1, failed.Code);
        Assert.Contains("big  failed, was in place: ", failed.Output, StringComparison.Ordinal);
        Assert.Contains("No space left on device", failed.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("old\ndata\n", _machine.Run("cat /srv/small/data; ls -A /srv/small").Output);
        _machine.Run("mount -o remount,size=1m /srv/small").Succeeded();
        _machine.Stoker("host layers apply").Succeeded();
        _machine.Stoker("host layers rollback big").Succeeded();
        Assert.Equal("old\n", _machine.Run("cat /srv/small/data").Output);
    }
}
