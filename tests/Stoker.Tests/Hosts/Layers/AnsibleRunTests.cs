using Stoker.Hosts.Layers;
using Xunit;

namespace Stoker.Tests.Hosts.Layers;

public sealed class AnsibleRunTests
{
    private const string Output = """
        PLAY [localhost] ***************************************************************

        TASK [Gathering Facts] *********************************************************
        ok: [localhost]

        TASK [base : the configuration] ************************************************
        changed: [localhost]

        TASK [base : several] **********************************************************
        ok: [localhost] => (item=a)
        changed: [localhost] => (item=b)
        changed: [localhost] => (item=c)

        RUNNING HANDLER [base : restart it] ********************************************
        changed: [localhost]

        PLAY RECAP *********************************************************************
        localhost                  : ok=4    changed=3    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0

        """;

    [Fact]
    public void What_changed_is_read_from_the_recap_and_the_tasks()
    {
        Assert.Equal(3, AnsibleRun.Changed(Output));
        Assert.Equal(["base : the configuration", "base : several", "base : restart it"], AnsibleRun.Tasks(Output));
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost : ok=1 changed=1 unreachable=0 failed=1 skipped=0")]
    [InlineData("localhost : ok=0 changed=0 unreachable=1 failed=0 skipped=0")]
    public void A_run_that_failed_tells_nothing_of_changes(string output) => Assert.Null(AnsibleRun.Changed(output));

    [Fact]
    public void A_role_is_run_by_a_playbook_of_its_own_and_variables_are_no_words_of_a_shell()
    {
        var place = Directory.CreateTempSubdirectory("stoker-ansible-").FullName;
        try
        {
            var words = new AnsibleRun("/estate/roles/base", null, new Dictionary<string, string> { ["words"] = "it's \"here\"" }).Words(place, check: true);
            Assert.Contains("--check", words);
            Assert.Equal("""{"words":"it\u0027s \u0022here\u0022"}""", words[words.ToList().IndexOf("-e") + 1]);
            Assert.Equal("""[{"hosts":"localhost","connection":"local","roles":[{"role":"/estate/roles/base"}]}]""", File.ReadAllText(words[^1]));
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }
}
