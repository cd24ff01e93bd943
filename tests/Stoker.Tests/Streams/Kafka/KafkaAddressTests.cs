using Stoker.Streams;
using Stoker.Streams.Kafka;
using Stoker.Tests.Estates;
using Xunit;

namespace Stoker.Tests.Streams.Kafka;

public sealed class KafkaAddressTests
{
    [Theory]
    [InlineData("kafka://broker/gpu-metadata", "kafka://broker:9092/gpu-metadata")]
    [InlineData("kafka://a:9093,b.example,[::1]:9094/t", "kafka://a:9093,b.example:9092,[::1]:9094/t")]
    [InlineData("kafka://a/t?tls=true&tlsCAFile=/etc/ca.pem&user=ada&mechanism=PLAIN&group=g", "kafka://a:9092/t")]
    [InlineData("kafka://a/t?tls=true&tlsCertificateFile=/own.pem&tlsKeyFile=/own.key", "kafka://a:9092/t")]
    public void An_address_is_read_and_shown(string text, string shown)
    {
        Assert.Null(KafkaAddress.Parse(text, out var address));
        Assert.Equal(shown, address?.ToString());
    }

    [Theory]
    [InlineData("kafka:broker/t", "expected `kafka://")]
    [InlineData("kafka://broker", "one topic has to follow")]
    [InlineData("kafka://broker/", "is no topic")]
    [InlineData("kafka://broker/a/b", "one topic has to follow")]
    [InlineData("kafka://broker/a b", "is no topic")]
    [InlineData("kafka://broker,/t", "is no broker")]
    [InlineData("kafka://broker:0/t", "is no broker")]
    [InlineData("kafka://broker:99999/t", "is no broker")]
    [InlineData("kafka://ada@broker/t", "the user stands in the options")]
    [InlineData("kafka://broker/t?password=x", "a password does not belong")]
    [InlineData("kafka://broker/t?acks=1", "`acks` is not known")]
    [InlineData("kafka://broker/t?tls=yes", "`tls` is `true` or `false`")]
    [InlineData("kafka://broker/t?tlsCAFile=/ca.pem", "`tlsCAFile` is of use with")]
    [InlineData("kafka://broker/t?tls=false&tlsKeyFile=/key.pem", "`tlsKeyFile` is of use with")]
    [InlineData("kafka://broker/t?tls=true&tlsCertificateFile=/own.pem", "`tlsCertificateFile` and `tlsKeyFile` go together")]
    [InlineData("kafka://broker/t?user=a&mechanism=GSSAPI", "`mechanism` is one of")]
    [InlineData("kafka://broker/t?mechanism=PLAIN", "`mechanism` is of use with")]
    public void What_is_not_an_address_is_told(string text, string said)
    {
        Assert.Contains(said, KafkaAddress.Parse(text, out var address), StringComparison.Ordinal);
        Assert.Null(address);
    }

    [Fact]
    public void A_user_is_proven_and_the_connection_encrypted_as_the_address_says()
    {
        Assert.Null(KafkaAddress.Parse("kafka://a/t?tls=true&tlsCAFile=/ca.pem&user=ada&group=g", out var address));
        var settings = new KafkaSettings(address!, "s", "secret");
        var producer = settings.Producer();
        Assert.Equal((Confluent.Kafka.SecurityProtocol.SaslSsl, Confluent.Kafka.SaslMechanism.ScramSha512), (producer.SecurityProtocol, producer.SaslMechanism));
        Assert.Equal(("ada", "secret", "/ca.pem"), (producer.SaslUsername, producer.SaslPassword, producer.SslCaLocation));
        Assert.Equal((true, Confluent.Kafka.Acks.All), (producer.EnableIdempotence, producer.Acks));
        var member = settings.Member();
        Assert.Equal(("g", false, Confluent.Kafka.PartitionAssignmentStrategy.CooperativeSticky), (member.GroupId, member.EnableAutoCommit, member.PartitionAssignmentStrategy));
        Assert.DoesNotContain("secret", address!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_on_a_topic_takes_the_topics_partitions_and_the_variable_of_its_password()
    {
        var spec = EstateText.Read("name: e\nstreams:\n  s: {log: \"kafka://b/t?user=ada\", log_password: SECRET}\n");
        Assert.DoesNotContain(spec.Diagnostics, each => each.Code != StreamDiagnostics.KafkaMissing);
        var stream = Assert.Single(spec.Spec.Part<StreamsSpec>()!.Streams);
        Assert.Equal(("kafka://b/t?user=ada", "SECRET", 0), (stream.Log, stream.LogPasswordVariable, stream.Partitions));
        Assert.True(spec.Spec.Services[stream.Name].Environment.ContainsKey("SECRET"));
        var plan = StreamPlan.FromJson(StreamPlan.Of(spec.Spec, stream).ToJson());
        Assert.Equal((stream.Log, "SECRET", 0), (plan.Log, plan.LogPasswordVariable, plan.Partitions));
        Assert.Equal(!KafkaLibrary.IsInstalled, spec.Diagnostics.Any(each => each.Code == StreamDiagnostics.KafkaMissing));
    }

    [Fact]
    public void What_is_the_brokers_business_is_refused_and_a_user_needs_a_password()
    {
        var codes = EstateText.Read("name: e\nstreams:\n  s: {log: \"kafka://b/t?user=ada\", retention: {age: 7d}}\n").Diagnostics.Select(each => each.Code).ToList();
        Assert.Contains(StreamDiagnostics.RetentionOfBroker, codes);
        Assert.Contains(StreamDiagnostics.LogPassword, codes);
        Assert.DoesNotContain(EstateText.Read("name: e\nstreams:\n  s: {log: \"kafka://b/t\", archive: kept}\n").Diagnostics, each => each.Code != StreamDiagnostics.KafkaMissing);
        Assert.Contains(StreamDiagnostics.LogPassword, EstateText.Read("name: e\nstreams:\n  s: {log: \"kafka://b/t\", log_password: A}\n").Diagnostics.Select(each => each.Code));
    }
}
