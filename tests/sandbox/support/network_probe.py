"""Tries to reach the network in every way; prints the outcomes by name as one JSON object."""

import errno
import json
import os
import socket
import struct
import subprocess
import threading

PATIENCE = 60  # longer than any answer takes on a busy machine

def name_of(error):
    return errno.errorcode.get(error.errno, str(error.errno)) if error.errno else type(error).__name__


def fetch(*arguments, env=None):
    result = subprocess.run(
        ["/usr/bin/curl", "-sS", "--max-time", "60", *arguments],
        capture_output=True, text=True, env=env,
    )
    return result.stdout or f"curl {result.returncode}"


def tcp(address, family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(PATIENCE)
        try:
            client.connect(address)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return client.recv(64).decode().split("\r\n")[0] or "closed"
        except OSError as error:
            return name_of(error)


def udp(address, data=b"hello", family=socket.AF_INET, patience=PATIENCE):
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(patience)
        try:
            client.connect(address)
            client.send(data)
            return client.recv(4096).hex()
        except OSError as error:
            return name_of(error)


def question(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)


def dns(server, name, kind):
    answer = udp((server, 53), question(name, kind))
    if len(answer) < 24:
        return answer
    message = bytes.fromhex(answer)
    code, count = message[3] & 15, struct.unpack(">H", message[6:8])[0]
    address = socket.inet_ntoa(message[-4:]) if count else ""
    return f"code {code} answers {count} {address}".strip()


def dns_over_tcp(server, name):
    with socket.create_connection((server, 53), timeout=PATIENCE) as client:
        message = question(name, 1)
        framed = struct.pack(">H", len(message)) + message
        client.sendall(framed[:5])
        client.sendall(framed[5:] + framed)  # split and pipelined
        data = b""
        while len(data) < 2 * (len(message) + 18):
            chunk = client.recv(4096)
            if not chunk:
                break
            data += chunk
        return f"{len(data) // (len(message) + 18)} answers"


def local_server():
    """The agent's own server, in the sandbox's own network."""
    server = socket.create_server(("127.0.0.1", 3000))
    def serve():
        client, _ = server.accept()
        client.recv(4096)
        client.sendall(b"HTTP/1.0 200 OK\r\n\r\nown server")
        client.close()
    threading.Thread(target=serve, daemon=True).start()
    return fetch("http://localhost:3000/")


def resolve(name):
    try:
        return sorted({entry[4][0] for entry in socket.getaddrinfo(name, 80)})
    except OSError as error:
        return str(error)


def steal_port(port):
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            server.bind(("127.0.0.1", port))
            server.listen()
            return "ok"
        except OSError as error:
            return name_of(error)


print(json.dumps({
    "proxy": fetch("http://proxy.test/a"),
    "transparent": fetch("--noproxy", "*", "http://captured.test/b"),
    "empty_environment": fetch("http://empty.test/c", env={}),
    "ipv4_literal": fetch("--noproxy", "*", "http://192.0.2.7/d"),
    "ipv6_literal": fetch("--noproxy", "*", "http://[2001:db8::7]/e"),
    "tls_port": tcp(("192.0.2.8", 443)),
    "metadata": fetch("--noproxy", "*", "http://169.254.169.254/latest"),
    "other_port": tcp(("192.0.2.7", 25)),
    "other_port_ipv6": tcp(("2001:db8::7", 25), socket.AF_INET6),
    "udp": udp(("192.0.2.7", 4433)),
    "quic": udp(("192.0.2.7", 443)),
    "dns_a": dns("127.0.0.1", "one.test", 1),
    "dns_a_again": dns("127.0.0.1", "ONE.test", 1),
    "dns_aaaa": dns("127.0.0.1", "one.test", 28),
    "dns_txt": dns("127.0.0.1", "one.test", 16),
    "dns_ptr": dns("127.0.0.1", "1.0.18.198.in-addr.arpa", 12),
    "dns_other_server": dns("8.8.8.8", "two.test", 1),
    "dns_tcp": dns_over_tcp("127.0.0.1", "three.test"),
    "dns_garbage": udp(("127.0.0.1", 53), b"\xff" * 40, patience=1),
    "dns_after_garbage": dns("127.0.0.1", "one.test", 1),
    "getaddrinfo": resolve("four.test"),
    "localhost": resolve("localhost"),
    "local_server": local_server(),
    "steal_proxy_port": steal_port(18080),
    "steal_dns_port": steal_port(53),
    "interfaces": sorted(name for _, name in socket.if_nameindex()),
}))
