namespace Stoker.Hosts.Checks;

/// <summary>Each kind of check to who makes it. What is found is added; what throws IOException or UnauthorizedAccessException is unknown.</summary>
internal static class CheckMaker
{
    public static Task MakeAsync(CheckSpec check, CheckDoors doors, Findings findings, CancellationToken cancel)
    {
        switch (check.Subject)
        {
            case CheckSubject.File file:
                FileCheck.Make(file, findings);
                return Task.CompletedTask;
            case CheckSubject.Mount mount:
                MountCheck.Make(mount, doors, findings);
                return Task.CompletedTask;
            case CheckSubject.Package package:
                return PackageCheck.MakeAsync(package, doors, findings);
            case CheckSubject.Service service:
                return ServiceCheck.MakeAsync(service, doors, check.Timeout, findings);
            case CheckSubject.Port port:
                return PortCheck.MakeAsync(port, doors, check.Timeout, findings);
            case CheckSubject.User user:
                UserCheck.Make(user, findings);
                return Task.CompletedTask;
            case CheckSubject.GroupOfUsers group:
                UserCheck.Make(group, findings);
                return Task.CompletedTask;
            case CheckSubject.KernelParameter parameter:
                KernelParameterCheck.Make(parameter, doors, findings);
                return Task.CompletedTask;
            case CheckSubject.Command command:
                return CommandCheck.MakeAsync(command, doors, check.Timeout, findings);
            case CheckSubject.Http http:
                return HttpCheck.MakeAsync(http, findings, cancel);
            case CheckSubject.Dns dns:
                return DnsCheck.MakeAsync(dns, findings, cancel);
            case CheckSubject.Gpu gpu:
                return GpuCheck.MakeAsync(gpu, doors, findings);
            case CheckSubject.Fact fact:
                return FactCheck.MakeAsync(fact, doors, findings);
            case CheckSubject.Declared declared:
                return DeclaredCheck.MakeAsync(declared, doors, findings);
            default:
                throw new InvalidOperationException($"no such subject: {check.Subject.Kind}");
        }
    }
}
