namespace Stoker.Hosts.Checks;

/// <summary>The profiles that Stoker has, as a team would write them: <c>stoker doctor --profile NAME --show</c> prints them to begin one's own with.</summary>
internal static class BuiltInProfiles
{
    public const string Text = """
        doctor:
          onboarding:
            description: What a machine needs before an estate is brought up on it.
            checks:
              kernel:
                description: pidfds and control groups as Stoker uses them
                fact: {path: os.kernel, is: ">=5.10"}
              memory:
                description: enough to build and run the quickstart
                fact: {path: memory.total, is: ">=2GiB"}
                hint: give the machine more memory
              disk:
                description: room for builds, logs and state
                mount: {path: /, free: ">=5GiB"}
              names:
                description: the machine's own name service answers
                dns: localhost
              loopback:
                description: connections within the machine work
                dns: {name: localhost, addresses: 127.0.0.1}
                needs: [names]
              temporary:
                description: programs can write temporary files
                file: {path: /tmp, type: directory, mode: "1777"}
              git:
                description: estates are kept in git
                command: {run: git --version, version: ">=2.20"}
                hint: apt-get install git
              ssh:
                description: hosts are reached by SSH
                command: ssh -V
                hint: apt-get install openssh-client
              sqlite:
                description: keys and the token ledger are kept in SQLite
                command: sh -c '/sbin/ldconfig -p | grep libsqlite3.so.0'
                hint: apt-get install libsqlite3-0
              python:
                description: many engines and services are Python
                command: {run: python3 --version, version: ">=3.9"}
                hint: apt-get install python3

          gpu:
            description: What a machine needs before models run on its GPUs.
            checks:
              cards:
                description: there is a GPU, and the driver shows it
                gpu: {count: ">=1", driver: ">=535"}
              nouveau:
                description: the open driver that keeps NVIDIA's from the card is not loaded
                file: {path: /sys/module/nouveau, exists: false}
                hint: add `blacklist nouveau` to a file in /etc/modprobe.d, run update-initramfs -u, reboot
              control:
                description: programs find the driver's device
                file: {path: /dev/nvidiactl, type: device}
                needs: [cards]
                hint: nvidia-smi run once as root makes it; nvidia-persistenced at each boot
              memory-device:
                description: CUDA's unified memory is there
                file: {path: /dev/nvidia-uvm, type: device}
                needs: [cards]
                hint: modprobe nvidia-uvm
              tool:
                description: the driver and its library are of one version
                command: nvidia-smi -L
                needs: [cards]
                hint: after an update of the driver, reboot
              containers:
                description: containers can be given GPUs
                fact: {path: gpu.container_access, is: /./}
                needs: [cards]
                hint: install nvidia-container-toolkit, then nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml

          gateway:
            description: What a machine needs before many clients use the gateway on it.
            checks:
              sqlite:
                description: keys and the token ledger are kept in SQLite
                command: sh -c '/sbin/ldconfig -p | grep libsqlite3.so.0'
                hint: apt-get install libsqlite3-0
              files:
                description: two descriptors for each request that is under way
                kernel_parameter: {name: fs.file-max, is: ">=65536"}
              backlog:
                description: a burst of clients is not refused by the kernel
                kernel_parameter: {name: net.core.somaxconn, is: ">=1024"}
                hint: sysctl -w net.core.somaxconn=4096, and a file in /etc/sysctl.d
              disk:
                description: room for the ledger
                mount: {path: /, free: ">=2GiB"}
              names:
                description: models that are elsewhere are found by name
                dns: localhost
              health:
                description: the gateway of this machine answers where it listens by default
                http: {url: "http://127.0.0.1:8000/health"}
                hint: stoker up; another address is another check in a profile of your own

        """;
}
