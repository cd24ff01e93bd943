using System.Text.Json;
using Stoker.Estates;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class ReplicaRecordsTests
{
    private static readonly ReplicaRecord Least = new("vision", 1, "a1b2", 3, "boot");

    private static readonly ReplicaRecord Most = Least with
    {
        Pid = 812,
        StartTicks = ulong.MaxValue,
        SessionId = 811,
        Fingerprint = "f00d",
        StartedAt = DateTimeOffset.UnixEpoch.AddTicks(1),
        WasHealthy = true,
        Restarts = 4,
        Attempt = 2,
        Ports = [7300, 7301],
        Container = "vision-1",
        Image = new ImageHealthcheck(["curl", "-f", "http://127.0.0.1/"]),
        Ended = ServiceState.Completed,
        Tool = "/usr/bin/podman",
        StopSignal = 2,
    };

    [Fact]
    public void What_is_written_by_hand_is_what_generated_code_writes()
    {
        foreach (var record in (ReplicaRecord[])[Least, Most])
            Assert.Equal(JsonSerializer.SerializeToUtf8Bytes(record, ReplicaRecordJson.Default.ReplicaRecord), ReplicaRecords.Write(record));
    }
}
