using System.Net.Security;
using System.Security.Authentication;
using Stoker.Platform;

namespace Stoker.Probes;

/// <summary>
/// The same question through TLS. The certificate is verified (name, dates, chain), except when this machine asks itself:
/// there a self-signed one is the rule, and whoever could answer in its place could read its key too. What is wrong with an accepted
/// certificate is said in the outcome.
/// </summary>
internal static class TlsConversation
{
    public static async ValueTask<ProbeOutcome> AskAsync(HttpQuestion question, SocketExchange exchange, ProbeDeadline deadline)
    {
        string? problem = null;
        var options = CertificateCheck.Options(question.Name, wrong =>
        {
            problem = wrong;
            return wrong is null || question.Hosts.All(ProbeTarget.IsThisMachine);
        });
        await using var stream = exchange.AsStream();
        await using var tls = new SslStream(stream, leaveInnerStreamOpen: true);
        var received = 0;
        try
        {
            await tls.AuthenticateAsClientAsync(options, deadline.Token);
            await tls.WriteAsync(question.Request, deadline.Token);
            var buffer = new byte[HttpAnswer.LongestHead];
            HttpAnswer answer = new HttpAnswer.Incomplete();
            while (answer is HttpAnswer.Incomplete)
            {
                var count = await tls.ReadAsync(buffer.AsMemory(received), deadline.Token);
                if (count == 0) return deadline.Unhealthy(HttpProbe.Closed(question, received));
                received += count;
                answer = HttpAnswer.Read(buffer.AsSpan(0, received));
            }

            return HttpProbe.Judge(question, answer, deadline, problem is null ? "" : $" (certificate not verified on this machine: {problem})");
        }
        catch (Exception e) when (deadline.IsOver && e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            return deadline.TimedOut(question.Subject, tls.IsAuthenticated ? HttpProbe.Waiting(received) : "connected, but no TLS handshake");
        }
        catch (AuthenticationException e)
        {
            return deadline.Unhealthy(problem is null
                ? $"{question.Subject}: TLS failed: {e.InnerException?.Message ?? e.Message}"
                : $"{question.Subject}: certificate refused: {problem}");
        }
        catch (IOException e)
        {
            return deadline.Unhealthy($"{question.Subject}: TLS failed: {e.Message}");
        }
    }
}
