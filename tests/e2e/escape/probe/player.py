"""Plays what it is told to the network: reads cases as JSON lines, prints what came back.

A case: "dial" is "proxy" or [host, port]; "connect" opens a tunnel to there first; "sni" starts TLS
("" without a server name); "send" is sent as it is; "streams" are HTTP/2 requests, each a list of
header fields and a body. The answer is the text that came back, of all HTTP/2 streams together.
"""

import json
import socket
import ssl
import struct
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def length_of(text):
    """An HPACK string's length (RFC 7541, 5.1), not Huffman-coded."""
    if len(text) < 127:
        return bytes([len(text)])
    rest, encoded = len(text) - 127, b"\x7f"
    while rest >= 128:
        encoded, rest = encoded + bytes([rest % 128 + 128]), rest // 128
    return encoded + bytes([rest])


def field(name, value):
    name, value = name.encode("latin1"), value.encode("latin1")
    return b"\x10" + length_of(name) + name + length_of(value) + value


def requests(streams):
    """The frames of HTTP/2 requests, the first on stream 1."""
    frames = b""
    for index, stream in enumerate(streams):
        block = b"".join(field(name, value) for name, value in stream["fields"])
        number, body = 2 * index + 1, stream.get("body", "").encode("latin1")
        frames += frame(HEADERS, END_HEADERS | (0 if body else END_STREAM), number, block)
        if body:
            frames += frame(DATA, END_STREAM, number, body)
    return frames


def read_exactly(peer, count):
    data = b""
    while len(data) < count:
        part = peer.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def play_http2(peer, streams):
    """One stream after another, so that a connection that ends took as many as it could."""
    peer.sendall(PREFACE + frame(SETTINGS, 0, 0))
    text, sent = "", requests(streams)
    peer.sendall(sent)
    open_streams = {2 * index + 1 for index in range(len(streams))}
    try:
        while open_streams:
            head = read_exactly(peer, 9)
            payload = read_exactly(peer, int.from_bytes(head[:3], "big"))
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            if kind == SETTINGS and not flags & ACK:
                peer.sendall(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                peer.sendall(frame(PING, ACK, 0, payload))
            elif kind == DATA:
                text += payload.decode("latin1")
            elif kind == RST_STREAM:
                text += f"stream {stream} reset\n"
                open_streams.discard(stream)
            elif kind == GOAWAY:
                return text + "goaway\n"
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                open_streams.discard(stream)
    except (EOFError, OSError):
        text += "closed\n"
    return text


def play(case):
    dial = case.get("dial", "proxy")
    peer = socket.create_connection(("127.0.0.1", 18080) if dial == "proxy" else tuple(dial), 60)
    peer.settimeout(60)
    if "connect" in case:
        to = case["connect"]
        peer.sendall(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += read_exactly(peer, 1)
        if b" 200 " not in head:
            rest = b""
            while part := peer.recv(4096):
                rest += part
            return (head + rest).decode("latin1")
    if "sni" in case:
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(["h2" if "streams" in case else "http/1.1"])
        peer = context.wrap_socket(peer, server_hostname=case["sni"] or None)
    if "streams" in case:
        return play_http2(peer, case["streams"])
    peer.sendall(case["send"].encode("latin1"))
    answer = b""
    while len(answer) < 65536 and not ("Upgrade: " in case["send"] and is_whole(answer)):
        part = peer.recv(4096)
        if not part:
            break
        answer += part
    return answer.decode("latin1")


def is_whole(answer):
    """Whether one answer with a length has come; who asked for an upgrade did not ask for an end."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0].split(b":")[1])


for line in sys.stdin:
    try:
        answer = play(json.loads(line))
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    print(json.dumps({"answer": answer}), flush=True)
