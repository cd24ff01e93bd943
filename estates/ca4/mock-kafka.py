"""librdkafka's mock cluster as a process of its own: not Kafka, but its protocol, in memory, for trying things out.

    python3 mock-kafka.py PORT TOPIC PARTITIONS [BROKERS]     PORT 0: any that is free

Needs the system's librdkafka.so.1. The cluster listens on ports of its own choice, which clients learn from whichever broker they ask; so
what listens on PORT only passes bytes on to the first of them. Each partition keeps 100,000 messages or 5 MiB at most, the oldest go
first; what was written is gone when the process ends.

Commands on standard input, a line each, answered with `ok`:
    down BROKER   up BROKER   rtt BROKER MILLISECONDS   error REQUEST CODE COUNT (numbers of Kafka's protocol)   topic NAME PARTITIONS
    put TOPIC PARTITION HEADERS VALUE   a message, with HEADERS as NAME=VALUE,… or - (percent-encoded)
"""

import ctypes
import random
import socket
import sys
import threading
import urllib.parse

PRODUCER = 0
lib = ctypes.CDLL("librdkafka.so.1")
pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
for name, result, arguments in [
    ("rd_kafka_conf_new", pointer, []),
    ("rd_kafka_conf_set", number, [pointer, text, text, text, ctypes.c_size_t]),
    ("rd_kafka_new", pointer, [number, pointer, text, ctypes.c_size_t]),
    ("rd_kafka_mock_cluster_new", pointer, [pointer, number]),
    ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
    ("rd_kafka_mock_topic_create", number, [pointer, text, number, number]),
    ("rd_kafka_mock_broker_set_down", number, [pointer, ctypes.c_int32]),
    ("rd_kafka_mock_broker_set_up", number, [pointer, ctypes.c_int32]),
    ("rd_kafka_mock_broker_set_rtt", number, [pointer, ctypes.c_int32, number]),
    ("rd_kafka_mock_push_request_errors_array", None, [pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(number)]),
]:
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


def check(error):
    if error:
        raise RuntimeError(f"librdkafka answers {error}")


def client(settings):
    words = ctypes.create_string_buffer(512)
    conf = lib.rd_kafka_conf_new()
    for key, value in settings.items():
        if lib.rd_kafka_conf_set(conf, key.encode(), value.encode(), words, 512):
            raise RuntimeError(words.value.decode())
    made = lib.rd_kafka_new(PRODUCER, conf, words, 512)
    if not made:
        raise RuntimeError(words.value.decode())
    return made


def relay(door, target):
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

    def accept():
        while True:
            near, _ = door.accept()
            try:
                far = socket.create_connection(target)
            except OSError:
                near.close()
                continue
            for ends in ((near, far), (far, near)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def put(brokers, topic, partition, headers, value):
    """By another client, as others would."""
    producer = client({"bootstrap.servers": brokers, "linger.ms": "0"})

    class Field(ctypes.Structure):
        class Any(ctypes.Union):
            class Memory(ctypes.Structure):
                _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]

            class Header(ctypes.Structure):
                _fields_ = [("name", text), ("value", ctypes.c_void_p), ("size", ctypes.c_ssize_t)]

            _fields_ = [("text", text), ("number", ctypes.c_int32), ("memory", Memory), ("header", Header), ("room", ctypes.c_char * 64)]

        _fields_ = [("kind", number), ("any", Any)]

    topic_kind, partition_kind, value_kind, flags_kind, header_kind, copy = 1, 3, 4, 7, 9, 2
    fields = (Field * (4 + len(headers)))()
    fields[0].kind, fields[0].any.text = topic_kind, topic.encode()
    fields[1].kind, fields[1].any.number = partition_kind, partition
    held = [ctypes.create_string_buffer(value, len(value))]
    fields[2].kind, fields[2].any.memory.at, fields[2].any.memory.size = value_kind, ctypes.cast(held[0], pointer), len(value)
    fields[3].kind, fields[3].any.number = flags_kind, copy
    for at, (name, content) in enumerate(headers, 4):
        held.append(ctypes.create_string_buffer(content, len(content)))
        fields[at].kind = header_kind
        fields[at].any.header.name, fields[at].any.header.value, fields[at].any.header.size = name.encode(), ctypes.cast(held[-1], pointer), len(content)
    lib.rd_kafka_produceva.restype, lib.rd_kafka_produceva.argtypes = pointer, [pointer, pointer, ctypes.c_size_t]
    if lib.rd_kafka_produceva(producer, fields, len(fields)):
        raise RuntimeError("the message was not taken")
    lib.rd_kafka_flush.argtypes = lib.rd_kafka_destroy.argtypes = [pointer]
    lib.rd_kafka_flush.argtypes = [pointer, number]
    check(lib.rd_kafka_flush(producer, 10000))
    lib.rd_kafka_destroy(producer)


def obey(cluster, brokers, words):
    match words:
        case ["down", broker]:
            check(lib.rd_kafka_mock_broker_set_down(cluster, int(broker)))
        case ["up", broker]:
            check(lib.rd_kafka_mock_broker_set_up(cluster, int(broker)))
        case ["rtt", broker, milliseconds]:
            check(lib.rd_kafka_mock_broker_set_rtt(cluster, int(broker), int(milliseconds)))
        case ["error", request, code, count]:
            lib.rd_kafka_mock_push_request_errors_array(cluster, int(request), int(count), (number * int(count))(*[int(code)] * int(count)))
        case ["topic", name, partitions]:
            check(lib.rd_kafka_mock_topic_create(cluster, name.encode(), int(partitions), 1))
        case ["put", topic, partition, headers, value]:
            pairs = [] if headers == "-" else [each.split("=", 1) for each in headers.split(",")]
            put(brokers, topic, int(partition), [(name, urllib.parse.unquote_to_bytes(content)) for name, content in pairs], urllib.parse.unquote_to_bytes(value))
        case _:
            raise RuntimeError(f"not known: {' '.join(words)}")


def main():
    topic, partitions = sys.argv[2], int(sys.argv[3])
    brokers = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    door = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    for _ in range(random.randrange(4000)):
        # A cluster is named after its place in memory: another start is another cluster.
        lib.rd_kafka_conf_new()
    cluster = lib.rd_kafka_mock_cluster_new(client({"client.id": "mock", "log_level": "3"}), brokers)
    check(lib.rd_kafka_mock_topic_create(cluster, topic.encode(), partitions, brokers))
    all_brokers = lib.rd_kafka_mock_cluster_bootstraps(cluster).decode()
    host, first = all_brokers.split(",")[0].rsplit(":", 1)
    relay(door, (host, int(first)))
    print(f"ready on 127.0.0.1:{door.getsockname()[1]}, {brokers} brokers at {all_brokers}: librdkafka's mock, not Kafka; nothing is kept when it ends", flush=True)
    for line in sys.stdin:
        try:
            obey(cluster, all_brokers, line.split())
            print("ok", flush=True)
        except (RuntimeError, ValueError) as wrong:
            print(f"error: {wrong}", flush=True)
    threading.Event().wait()


main()
