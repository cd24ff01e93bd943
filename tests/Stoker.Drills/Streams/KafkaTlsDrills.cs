using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>A stream on a topic whose brokers speak TLS, with certificates of the drill's own. The cluster is librdkafka's mock, behind an end of TLS that is not its own.</summary>
public sealed class KafkaTlsDrills : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-tls-drill-").FullName;
    private readonly Certificates _ours = new("Drill CA");
    private readonly Certificates _theirs = new("Other CA");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _ours.Dispose();
        _theirs.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task With_the_authority_that_is_declared_events_go_encrypted_to_every_broker()
    {
        using var certificate = _ours.Make("broker", "127.0.0.1");
        await using var kafka = await TlsKafka.StartAsync(certificate);
        await using var box = BoxOf($"{kafka.Address}?tls=true&tlsCAFile={_ours.WriteAuthority(_directory)}");
        await AssertWorksAsync(box);
        Assert.True(kafka.Connections > 3, $"{kafka.Connections}");
    }

    [Fact]
    public async Task With_a_certificate_of_the_client_s_own_it_is_let_in_and_without_or_with_another_it_is_told()
    {
        using var certificate = _ours.Make("broker", "127.0.0.1");
        await using var kafka = await TlsKafka.StartAsync(certificate, clients: _ours.Authority);
        var address = $"{kafka.Address}?tls=true&tlsCAFile={_ours.WriteAuthority(_directory)}";
        await RefusedAsync(address, "lets in only clients with a certificate", "tlsCertificateFile");
        using var foreign = _theirs.Make("stoker-elsewhere", null);
        await RefusedAsync($"{address}{Own(foreign)}", "does not accept the certificate in", "CN=stoker-elsewhere", "CN=Other CA");
        using var own = _ours.Make("stoker", null);
        await using var box = BoxOf($"{address}{Own(own)}");
        await AssertWorksAsync(box);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task A_user_is_proven_by_SASL_and_one_who_is_not_is_told(string mechanism)
    {
        using var certificate = _ours.Make("broker", "127.0.0.1");
        var door = new SaslDoor("stoker", "right, and long");
        await using var kafka = await TlsKafka.StartAsync(certificate, door: door);
        var address = $"{kafka.Address}?tls=true&tlsCAFile={_ours.WriteAuthority(_directory)}&user=stoker&mechanism={mechanism}";
        await using (var wrong = BoxOf(address, "wrong"))
        {
            var process = wrong.Launch();
            await process.WaitForExitAsync(Cancellation);
            Assert.Equal(1, process.ExitCode);
            Assert.Contains("error: the stream cannot begin: no broker of", wrong.Said, StringComparison.Ordinal);
            Assert.Contains("SASL authentication error: Authentication failed", wrong.Said, StringComparison.Ordinal);
        }

        Assert.Equal(0, door.Proven(mechanism));
        await using var box = BoxOf(address, "right, and long");
        await AssertWorksAsync(box);
        Assert.True(door.Proven(mechanism) > 3, $"{door.Proven(mechanism)}");
        Assert.DoesNotContain("right, and long", box.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_told_with_who_vouches_for_it()
    {
        using var certificate = _theirs.Make("broker", "127.0.0.1");
        await using var kafka = await TlsKafka.StartAsync(certificate);
        var file = _ours.WriteAuthority(_directory);
        await RefusedAsync($"{kafka.Address}?tls=true&tlsCAFile={file}", "`CN=broker`", "vouched for by `CN=Other CA`", $"`{file}`");
        await RefusedAsync($"{kafka.Address}?tls=true", "vouched for by `CN=Other CA`", "this system trusts");
    }

    [Fact]
    public async Task A_certificate_for_another_host_is_told_with_the_names_that_it_has()
    {
        using var certificate = _ours.Make("broker", "broker.example");
        await using var kafka = await TlsKafka.StartAsync(certificate);
        await RefusedAsync($"{kafka.Address}?tls=true&tlsCAFile={_ours.WriteAuthority(_directory)}", "is for `broker.example`, and not for `127.0.0.1`", "advertised.listeners");
    }

    [Fact]
    public async Task A_certificate_that_has_run_out_is_told_with_its_time()
    {
        var until = DateTimeOffset.UtcNow.AddDays(-1);
        using var certificate = _ours.Make("broker", "127.0.0.1", until);
        await using var kafka = await TlsKafka.StartAsync(certificate);
        await RefusedAsync($"{kafka.Address}?tls=true&tlsCAFile={_ours.WriteAuthority(_directory)}", "is not valid now", until.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_broker_without_TLS_and_files_that_cannot_be_used_are_told()
    {
        await using var kafka = await MockKafka.StartAsync(1);
        await RefusedAsync($"{kafka.Address}?tls=true", "does not speak TLS");
        await RefusedAsync($"{kafka.Address}?tls=true&tlsCAFile={_directory}/none.pem", "none.pem", "cannot be used");
        var file = Path.Combine(_directory, "noise.pem");
        await File.WriteAllTextAsync(file, "noise", Cancellation);
        await RefusedAsync($"{kafka.Address}?tls=true&tlsCAFile={file}", "has no certificate in PEM");
        using var one = _ours.Make("stoker", null);
        using var other = _ours.Make("stoker", null);
        await RefusedAsync($"{kafka.Address}?tls=true&tlsCertificateFile={Certificates.Write(_directory, one).Certificate}&tlsKeyFile={Certificates.Write(_directory, other).Key}", "cannot be used");
    }

    private static StreamBox BoxOf(string log, string? password = null)
    {
        const string variable = "DRILL_KAFKA_PASSWORD";
        var box = new StreamBox(change: plan => plan with { Partitions = 0, Log = log, LogPasswordVariable = password is null ? null : variable });
        if (password is not null) box.Variables[variable] = password;
        return box;
    }

    private string Own(X509Certificate2 own)
    {
        var (certificate, key) = Certificates.Write(_directory, own);
        return $"&tlsCertificateFile={certificate}&tlsKeyFile={key}";
    }

    private static async Task AssertWorksAsync(StreamBox box)
    {
        var oracle = new Oracle(sources: 16);
        await box.UpAsync();
        for (var i = 0; i < 20; i++)
        {
            var made = oracle.Issue(noise: 40);
            using var answer = await box.PostAsync(made);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            oracle.Acknowledge(made);
        }

        await box.AssertHoldsAsync(oracle);
    }

    private static async Task RefusedAsync(string log, params string[] why)
    {
        await using var box = BoxOf(log);
        var process = box.Launch();
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(1, process.ExitCode);
        foreach (var words in why) Assert.Contains(words, box.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", box.Said, StringComparison.Ordinal);
    }
}
