"""librdkafka's mock cluster in a network namespace of its own, its ports reached from outside through Unix sockets, which namespaces share.

    unshare --net python3 namespaced-kafka.py MOCK DIRECTORY TOPIC PARTITIONS

MOCK is mock-kafka.py. For each port of a broker there is DIRECTORY/PORT; the ports are told on standard output, apart by commas. Ends with its standard input.
"""

import os
import re
import socket
import subprocess
import sys
import threading

mock, directory, topic, partitions = sys.argv[1:5]
subprocess.check_call(["ip", "link", "set", "lo", "up"])
cluster = subprocess.Popen([sys.executable, mock, "0", topic, partitions], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(port):
    door = socket.socket(socket.AF_UNIX)
    door.bind(os.path.join(directory, str(port)))
    door.listen(64)

    def accept():
        while True:
            near, _ = door.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


try:
    ready = cluster.stdout.readline()
    ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", ready.split(" brokers at ")[1])]
    for port in ports:
        serve(port)
    print(",".join(map(str, ports)), flush=True)
    sys.stdin.read()
finally:
    cluster.kill()
