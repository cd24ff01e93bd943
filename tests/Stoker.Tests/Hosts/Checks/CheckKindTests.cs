using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Stoker.Hosts.Checks;
using Stoker.Platform;
using Stoker.Tests.Hosts.Facts;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Hosts.Checks;

/// <summary>Each kind of check on real files, sockets, commands and users, or on a machine that was written down where this one has none.</summary>
public sealed class CheckKindTests : IDisposable
{
    private readonly string _place = Directory.CreateTempSubdirectory("stoker-checks-").FullName;

    public void Dispose() => Directory.Delete(_place, recursive: true);

    [Fact]
    public async Task A_file_is_held_to_kind_mode_owner_size_content_and_hash()
    {
        var path = Write("key", "PermitRootLogin no\nPort 22\n", "0600");
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        var owner = Users.NameOf(HostEnvironment.UserId);
        var good = await CheckBed.OneAsync($"{{file: {{path: {path}, type: file, mode: '0600', owner: {owner}, size: '<1KiB', contains: ['/^Port [0-9]+$/', PermitRootLogin no, '!PermitRootLogin yes'], sha256: {hash}}}}}");
        Assert.True(good is { Verdict: Verdict.Passed, Mend: null, Findings.Count: 9 }, string.Join("\n", good.Findings));

        var bad = await CheckBed.OneAsync($"{{file: {{path: {path}, type: directory, mode: '0644', contains: [Port 23, '!Port 22'], sha256: 00}}}}");
        Assert.Equal(Verdict.Failed, bad.Verdict);
        Assert.Equal(["type", "mode", "contains", "contains", "sha256"], bad.Findings.Where(f => f.Verdict == Verdict.Failed).Select(f => f.What));
        Assert.Equal(("0644", "0600"), bad.Findings.Where(f => f.What == "mode").Select(f => (f.Expected, f.Found!)).Single());
        Assert.Equal(("!Port 22", "in the text"), bad.Findings.Where(f => f.Expected == "!Port 22").Select(f => (f.Expected, f.Found!)).Single());
        Assert.Equal($"chmod 0644 {path}", bad.Mend);
    }

    [Fact]
    public async Task A_file_may_have_to_be_absent()
    {
        Assert.Equal(Verdict.Passed, (await CheckBed.OneAsync($"{{file: {{path: {_place}/none, exists: false}}}}")).Verdict);
        var there = await CheckBed.OneAsync($"{{file: {{path: {_place}, exists: false}}}}");
        Assert.Equal((Verdict.Failed, $"remove `{_place}`"), (there.Verdict, there.Mend));
        var absent = await CheckBed.OneAsync($"{{file: {_place}/none}}");
        Assert.Equal((Verdict.Failed, "absent"), (absent.Verdict, Assert.Single(absent.Findings).Found));
    }

    [Fact]
    public async Task A_link_is_looked_at_itself_where_it_is_asked_for()
    {
        File.CreateSymbolicLink($"{_place}/link", "target");
        var results = await CheckBed.MakeAsync($$$"""
            is: {file: {path: "{{{_place}}}/link", type: link, link_to: target}}
            leads: {file: {path: "{{{_place}}}/link", link_to: elsewhere}}
            dangles: {file: "{{{_place}}}/link"}
            """);
        Assert.Equal([Verdict.Passed, Verdict.Failed, Verdict.Failed], results.Values.Select(r => r.Verdict));
        Assert.Equal($"ln -sfn elsewhere {_place}/link", results["leads"].Mend);
    }

    [Fact]
    public async Task The_content_of_a_pipe_is_unknown_and_nobody_waits_for_it()
    {
        Files.MakeFifo($"{_place}/pipe");
        var result = await CheckBed.OneAsync($"{{file: {{path: {_place}/pipe, type: fifo, contains: x}}, timeout: 5s}}");
        Assert.Equal((Verdict.Unknown, "it is a fifo, which has no content to read"), (result.Verdict, result.Findings[^1].Evidence));
    }

    [Fact]
    public async Task A_mount_is_held_to_source_options_and_room()
    {
        var machine = CapturedMachine.Load("desktop").Doors;
        Assert.Equal(Verdict.Passed, (await CheckBed.OneAsync("{mount: {path: /mnt/my models, type: xfs, source: /dev/sda1, options: [noatime, '!rw'], free: '>=8TiB', size: '>14TiB'}}", machine)).Verdict);
        var full = await CheckBed.OneAsync("{mount: {path: /, options: '!relatime', free: '>=1TiB'}}", machine);
        Assert.Equal(["option", "free"], full.Findings.Where(f => f.Verdict == Verdict.Failed).Select(f => f.What));
        Assert.Equal("756.6 GiB", full.Findings.Single(f => f.What == "free").Found);
        Assert.Equal(Verdict.Failed, (await CheckBed.OneAsync("{mount: /data}", machine)).Verdict);
        Assert.Equal(Verdict.Passed, (await CheckBed.OneAsync("{mount: {path: /data, mounted: false}}", machine)).Verdict);
        Assert.Equal(Verdict.Unknown, (await CheckBed.OneAsync("{mount: {path: /mnt/old, free: '>1GiB'}}", machine)).Verdict);
        Assert.Equal(Verdict.Passed, (await CheckBed.OneAsync("{mount: {path: /proc, type: proc}}")).Verdict);
    }

    [Fact]
    public async Task A_package_is_asked_of_the_package_manager()
    {
        var machine = CapturedMachine.Load("desktop").Doors;
        var results = await CheckBed.MakeAsync(
            """
            there: {package: {name: nvidia-container-toolkit, version: ">=1.16 <2"}}
            old: {package: {name: nvidia-container-toolkit, version: ">=1.17"}}
            absent: {package: curl}
            removed: {package: {name: removed, installed: false}}
            """, machine);
        Assert.Equal([Verdict.Passed, Verdict.Failed, Verdict.Failed, Verdict.Passed], results.Values.Select(r => r.Verdict));
        Assert.Equal("1.16.2-1", results["old"].Findings[^1].Found);
        Assert.Equal("install curl", results["absent"].Mend);
        // Where no database can be read, nothing is known, not even that a package is absent.
        Assert.Equal(Verdict.Unknown, (await CheckBed.OneAsync("{package: {name: curl, installed: false}}", CapturedMachine.Load("container").Doors)).Verdict);
        Assert.Equal(Verdict.Passed, (await CheckBed.OneAsync("{package: {name: podman, version: '>=4'}}", CapturedMachine.Load("server").Doors)).Verdict);
    }

    [Fact]
    public async Task A_service_is_asked_of_systemd_and_unknown_without_it()
    {
        const string ask = "== run systemctl show --property=LoadState,ActiveState,SubState,UnitFileState -- ";
        var machine = CapturedMachine.Parse(
            $"{ask}ssh.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n"
            + $"{ask}redis.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\nUnitFileState=disabled\n"
            + $"{ask}none.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n").Doors;
        var results = await CheckBed.MakeAsync(
            """
            ssh: {service: {name: ssh, enabled: true}}
            redis: {service: {name: redis.service, enabled: true}}
            none: {service: none}
            off: {service: {name: redis, running: false, enabled: false}}
            """, machine);
        Assert.Equal([Verdict.Passed, Verdict.Failed, Verdict.Failed, Verdict.Passed], results.Values.Select(r => r.Verdict));
        Assert.Equal(["failed (failed)", "disabled"], results["redis"].Findings.Select(f => f.Found));
        Assert.StartsWith("systemctl start redis.service", results["redis"].Mend, StringComparison.Ordinal);
        Assert.Equal("install what has `none.service`", results["none"].Mend);
        Assert.Equal(Verdict.Unknown, (await CheckBed.OneAsync("{service: {name: ssh, running: false}}", CapturedMachine.Load("vm").Doors)).Verdict);
    }

    [Fact]
    public async Task A_port_is_open_here_or_on_another_machine()
    {
        using var held = new HeldPort();
        var port = held.Number;
        using var listener = new TcpListener(held.Address);
        HeldPort.Share(listener.Server);
        listener.Start();
        var open = await CheckBed.MakeAsync($$$"""
            here: {port: {port: {{{port}}}, address: 127.0.0.1}}
            everywhere: {port: {port: {{{port}}}, address: 0.0.0.0}}
            closed: {port: {port: {{{port}}}, open: false}}
            there: {port: {port: {{{port}}}, host: localhost}}
            udp: {port: {port: {{{port}}}, protocol: udp, open: false}}
            """);
        Assert.Equal([Verdict.Passed, Verdict.Failed, Verdict.Failed, Verdict.Passed, Verdict.Passed], open.Values.Select(r => r.Verdict));
        Assert.Equal("open on 127.0.0.1", open["closed"].Findings[0].Found);
        listener.Stop();
        var gone = await CheckBed.MakeAsync($$$"""
            here: {port: {{{port}}}}
            there: {port: {port: {{{port}}}, host: 127.0.0.1}}
            away: {port: {port: {{{port}}}, host: 127.0.0.1, open: false}}
            """);
        Assert.Equal([Verdict.Failed, Verdict.Failed, Verdict.Passed], gone.Values.Select(r => r.Verdict));
        Assert.Equal("refused", gone["there"].Findings[0].Found);
    }

    [Fact]
    public async Task Users_and_groups_are_those_of_the_name_service()
    {
        var results = await CheckBed.MakeAsync(
            """
            root: {user: {name: root, uid: 0, group: root, groups: root, home: /root}}
            shell: {user: {name: root, shell: /bin/never}}
            nobody-else: {user: {name: ada-lovelace, exists: false}}
            absent: {user: ada-lovelace}
            number: {user: "0"}
            group: {group: {name: root, gid: 0, members: root}}
            members: {group: {name: root, members: [daemon]}}
            """);
        Assert.Equal(
            [Verdict.Passed, Verdict.Failed, Verdict.Passed, Verdict.Failed, Verdict.Failed, Verdict.Passed, Verdict.Failed],
            results.Values.Select(r => r.Verdict));
        Assert.Equal("useradd ada-lovelace", results["absent"].Mend);
        Assert.Equal("usermod -aG root daemon", results["members"].Mend);
    }

    [Fact]
    public async Task A_parameter_of_the_kernel_is_its_file()
    {
        var results = await CheckBed.MakeAsync(
            """
            type: {kernel_parameter: {name: kernel.ostype, is: Linux}}
            range: {kernel_parameter: {name: kernel.pid_max, is: ">=1000"}}
            wrong: {kernel_parameter: {name: kernel.pid_max, is: "<1000"}}
            none: {kernel_parameter: {name: kernel.no_such_thing, is: 1}}
            """);
        Assert.Equal([Verdict.Passed, Verdict.Passed, Verdict.Failed, Verdict.Unknown], results.Values.Select(r => r.Verdict));
    }

    [Fact]
    public async Task A_command_is_held_to_exit_output_and_version()
    {
        var results = await CheckBed.MakeAsync(
            """
            good: {command: {run: sh -c 'echo tool version 2.10.3 of today', output: [tool, "!error"], version: ">=2.9 <3"}}
            exit: {command: {run: "sh -c 'echo it broke >&2; exit 3'"}}
            expected: {command: {run: [sh, -c, exit 3], exit: 3}}
            old: {command: {run: echo 1.2, version: ">=2"}}
            silent: {command: {run: "true", version: ">=2"}}
            missing: {command: no-such-program-anywhere}
            """);
        Assert.Equal(
            [Verdict.Passed, Verdict.Failed, Verdict.Passed, Verdict.Failed, Verdict.Unknown, Verdict.Failed],
            results.Values.Select(r => r.Verdict));
        Assert.Contains("it broke", results["exit"].Findings[0].Evidence, StringComparison.Ordinal);
        Assert.Equal("install `no-such-program-anywhere`", results["missing"].Mend);
    }

    [Fact]
    public async Task An_answer_over_HTTP_is_held_to_status_and_body()
    {
        using var server = new OnePage(503, "loading the model");
        var results = await CheckBed.MakeAsync($$$"""
            well: {http: {{{server.Url}}}}
            known: {http: {url: {{{server.Url}}}, status: 503, body: [loading, "!ready"]}}
            body: {http: {url: {{{server.Url}}}, status: 503, body: ready}}
            """);
        Assert.Equal([Verdict.Failed, Verdict.Passed, Verdict.Failed], results.Values.Select(r => r.Verdict));
        Assert.Equal(("200 to 299", "503"), results["well"].Findings.Select(f => (f.Expected, f.Found!)).Single());
        server.Stop();
        Assert.Equal((Verdict.Failed, "no answer"), (await CheckBed.OneAsync($"{{http: {server.Url}}}")) is var gone ? (gone.Verdict, gone.Findings[0].Found) : default);
    }

    [Fact]
    public async Task A_name_resolves_to_what_it_must()
    {
        var results = await CheckBed.MakeAsync(
            """
            local: {dns: {name: localhost, addresses: 127.0.0.1}}
            other: {dns: {name: localhost, addresses: 10.9.8.7}}
            """);
        Assert.Equal([Verdict.Passed, Verdict.Failed], results.Values.Select(r => r.Verdict));
        Assert.NotEqual(Verdict.Passed, (await CheckBed.OneAsync("{dns: no-such-name.invalid, timeout: 8s}")).Verdict);
    }

    [Fact]
    public async Task Any_fact_can_be_held_to_something()
    {
        var machine = CapturedMachine.Load("desktop").Doors;
        var results = await CheckBed.MakeAsync(
            """
            cores: {fact: {path: cpu.cores, is: ">=16"}}
            system: {fact: {path: os.id, is: ubuntu}}
            version: {fact: {path: os.version, is: ">=22.04"}}
            reboot: {fact: {path: os.reboot_required, is: "false"}}
            governor: {fact: {path: cpu.governors, is: "!powersave"}}
            disk: {fact: {path: disks.nvme0n1.health, is: passed}}
            mount: {fact: {path: mounts./mnt/my models.type, is: xfs}}
            first: {fact: {path: numa.0.cpus, is: 0-31}}
            microcode: {fact: {path: memory.ecc, is: /ECC/}}
            typo: {fact: {path: cpu.coers, is: ">=16"}}
            list: {fact: {path: disks, is: "3"}}
            """, machine);
        Assert.Equal(
            [
                Verdict.Passed, Verdict.Passed, Verdict.Passed, Verdict.Failed, Verdict.Failed, Verdict.Passed, Verdict.Passed, Verdict.Passed, Verdict.Unknown, Verdict.Unknown, Verdict.Unknown,
            ],
            results.Values.Select(r => r.Verdict));
        Assert.Contains("firmware", results["microcode"].Findings[0].Evidence, StringComparison.Ordinal);
        Assert.Contains("no such fact", results["typo"].Findings[0].Evidence, StringComparison.Ordinal);
    }

    private string Write(string name, string text, string mode)
    {
        var path = $"{_place}/{name}";
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(mode, 8));
        return path;
    }

    /// <summary>A server that answers every connection with one page.</summary>
    private sealed class OnePage : IDisposable
    {
        private readonly HeldPort _held = new();
        private readonly TcpListener _listener;

        public OnePage(int status, string body)
        {
            _listener = new TcpListener(_held.Address);
            HeldPort.Share(_listener.Server);
            _listener.Start();
            Url = $"http://{_held.Address}/health";
            _ = ServeAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Words\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
        }

        public string Url { get; }

        /// <summary>Whoever asks from now on is refused.</summary>
        public void Stop() => _listener.Dispose();

        public void Dispose()
        {
            Stop();
            _held.Dispose();
        }

        private async Task ServeAsync(byte[] answer)
        {
            var question = new byte[4096];
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    _ = await client.GetStream().ReadAsync(question);
                    await client.GetStream().WriteAsync(answer);
                }
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SocketException or IOException)
            {
                // The test is over.
            }
        }
    }
}
