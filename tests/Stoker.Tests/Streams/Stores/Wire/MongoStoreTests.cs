using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Mongo;
using Xunit;

namespace Stoker.Tests.Streams.Stores.Wire;

public sealed class MongoStoreTests : StoreConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => Task.FromResult<StoreBed>(new MongoBed());
}

public sealed class MongoStoreFaultTests : StoreFaultConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => Task.FromResult<StoreBed>(new MongoBed());
}

public sealed class MongoStoreQueryTests : StoreQueryConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => Task.FromResult<StoreBed>(new MongoBed());
}

/// <summary>What is the wire's own: lost answers, limits, who is asked, and who asks.</summary>
public sealed class MongoWireTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("find")]
    [InlineData("update")]
    public async Task An_answer_that_is_lost_is_asked_for_again_and_nothing_is_there_twice(string command)
    {
        await using var bed = new MongoBed();
        await using var worker = await Worker.StartAsync(bed);
        bed.Server.CutsAnswerTo = command;
        StoredDocument[] batch = [Documents.Of("a", 0), Documents.Of("b", 1)];
        Assert.IsType<ApplyOutcome.Outage>(await worker.ApplyAsync(0, batch));
        Assert.Equal(0, (await worker.PositionAsync())?.Next);
        Assert.Equal(new ApplyOutcome.Applied(command == "update" ? 0 : 2, command == "update" ? 2 : 0, 0), await worker.ApplyAsync(0, batch));
        Assert.Equal(["a", "b"], await worker.IdsAsync());
    }

    [Fact]
    public async Task A_position_whose_answer_is_lost_is_ambiguous_and_decides()
    {
        await using var bed = new MongoBed();
        await using var worker = await Worker.StartAsync(bed);
        // Documents first; then the dead letters; the next update is the position's.
        await bed.RefusePoisonAsync();
        worker.OnPoison = () => Task.FromResult(bed.Server.CutsAnswerTo = "update");
        StoredDocument[] batch = [Documents.Of("a", 0), Documents.Of("poison", 1)];
        Assert.IsType<ApplyOutcome.Ambiguous>(await worker.ApplyAsync(0, batch));
        Assert.Equal(2, (await worker.PositionAsync())?.Next);
        Assert.IsType<ApplyOutcome.Elsewhere>(await worker.ApplyAsync(0, batch));
    }

    [Theory]
    [InlineData("update", 10107, "not primary")]
    [InlineData("update", 11600, "interrupted at shutdown")]
    [InlineData("find", 13, "not authorized")]
    public async Task An_error_that_is_not_of_a_document_is_an_outage(string command, int code, string words)
    {
        await using var bed = new MongoBed();
        await using var worker = await Worker.StartAsync(bed);
        bed.Server.Fails = (command, code, words);
        var outage = Assert.IsType<ApplyOutcome.Outage>(await worker.ApplyAsync(0, Documents.Of("a", 0)));
        Assert.Contains(words, outage.Reason, StringComparison.Ordinal);
        bed.Server.Fails = null;
        await worker.AppliedAsync(0, Documents.Of("a", 0));
        Assert.Empty(worker.DeadLetters);
    }

    [Fact]
    public async Task Messages_are_as_large_as_every_engine_takes_and_a_document_that_is_larger_is_named()
    {
        await using var bed = new MongoBed(new MongoServer { MaxDocument = 100_000 });
        await using var worker = await Worker.StartAsync(bed);
        var long9 = new string('x', 90_000);
        StoredDocument[] batch =
        [
            .. Enumerable.Range(0, 2300).Select(n => Documents.Of($"d{n}", n)), Documents.Of("huge", 2300, $$"""{"a":"{{long9}}{{long9}}"}"""),
            .. Enumerable.Range(2301, 60).Select(n => Documents.Of($"long{n}", n, $$"""{"a":"{{long9}}"}""")),
        ];
        Assert.Equal(new ApplyOutcome.Applied(2360, 0, 1), await worker.ApplyAsync(0, batch));
        Assert.Equal(2300, Assert.Single(worker.DeadLetters).Item);
        Assert.InRange(bed.Server.Largest.Documents, 900, 1000);
        Assert.InRange(bed.Server.Largest.Bytes, 3_000_000, 4_400_000);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("SCRAM-SHA-1")]
    [InlineData("SCRAM-SHA-256")]
    public async Task Who_knows_the_password_is_let_in_and_who_does_not_is_not(string? mechanism)
    {
        await using var bed = new MongoBed(new MongoServer { Account = ("me", "pass,=word") });
        var options = new Dictionary<string, string> { ["authSource"] = "admin" };
        if (mechanism is not null) options["authMechanism"] = mechanism;
        var spec = bed.Spec() with { Address = bed.Address with { User = "me", Options = options }, Password = () => "pass,=word" };
        await using var store = StoresModule.Open(spec, TimeProvider.System);
        Assert.Equal(1, (await store.TakeAsync(Worker.Place, default, Cancellation)).Epoch);

        await using var wrong = StoresModule.Open(spec with { Password = () => "guess42" }, TimeProvider.System);
        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => wrong.TakeAsync(Worker.Place, default, Cancellation));
        Assert.Contains("Authentication failed", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("guess42", refused.ToString(), StringComparison.Ordinal);
    }

    // RFC 7677, section 3.
    [Fact]
    public void The_proof_is_that_of_the_standard()
    {
        var scram = new Scram(Scram.Sha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        Assert.Equal("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", scram.First);
        Assert.Equal(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            scram.Answer("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        Assert.True(scram.IsTrue("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        Assert.False(scram.IsTrue("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        Assert.Throws<InvalidDataException>(() => scram.Answer("r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        Assert.Throws<InvalidDataException>(() => scram.Answer("r=rOprNGfwEbeRWgbNEkqO1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"));
    }

    [Fact]
    public async Task A_secondary_leads_to_the_primary()
    {
        await using var bed = new MongoBed();
        using var secondary = new MongoServer { Primary = $"127.0.0.1:{bed.Server.Port}" };
        await using var store = StoresModule.Open(bed.Spec() with { Address = bed.Address with { Port = secondary.Port } }, TimeProvider.System);
        await store.TakeAsync(Worker.Place, default, Cancellation);
        await using var worker = await Worker.StartAsync(bed);
        Assert.Equal(2, worker.Claim.Epoch);
    }

    [Fact]
    public async Task A_certificate_is_checked_against_the_authority_that_is_named()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var bed = new MongoBed(new MongoServer { Certificate = certificate });
        var authority = Path.GetTempFileName();
        await File.WriteAllTextAsync(authority, certificate.ExportCertificatePem(), Cancellation);
        var options = new Dictionary<string, string> { ["tls"] = "true", ["tlsCAFile"] = authority };
        await using var store = StoresModule.Open(bed.Spec() with { Address = bed.Address with { Options = options } }, TimeProvider.System);
        Assert.Equal(1, (await store.TakeAsync(Worker.Place, default, Cancellation)).Epoch);

        options.Remove("tlsCAFile");
        await using var distrustful = StoresModule.Open(bed.Spec() with { Address = bed.Address with { Options = options } }, TimeProvider.System);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => distrustful.TakeAsync(Worker.Place, default, Cancellation));
        File.Delete(authority);
    }

    [Fact]
    public async Task What_does_not_speak_the_protocol_is_told()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync(Cancellation);
            // An end before it is all read would be a reset, which could be all that is seen.
            _ = await client.GetStream().ReadAsync(new byte[4096], Cancellation);
            await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), Cancellation);
        }, Cancellation);
        var address = new StoreAddress(StoreKind.Mongo, "127.0.0.1", ((System.Net.IPEndPoint)listener.LocalEndpoint).Port, null, "metadata", new Dictionary<string, string>());
        await using var store = StoresModule.Open(new StoreSpec(address, "gpu-metadata"), TimeProvider.System);
        var failed = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.TakeAsync(Worker.Place, default, Cancellation));
        Assert.Contains("OP_MSG", failed.Message, StringComparison.Ordinal);
        await answering;
    }
}
