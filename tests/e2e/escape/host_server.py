"""Holds open what the probe must not reach, sockets and ports of the host, and says "let in".

Arguments: paths of unix sockets, those that begin with "@" abstract. Prints the ports, TCP and
UDP, as JSON, and ends with its standard input.
"""

import json
import socket
import sys
import threading

sockets = []
for address in sys.argv[1:]:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
    server.listen(16)
    sockets.append(server)
stream = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("0.0.0.0", 0))


def answer_datagrams():
    while True:
        _, sender = datagrams.recvfrom(2048)
        datagrams.sendto(b"let in", sender)


threading.Thread(target=answer_datagrams, daemon=True).start()
print(json.dumps([stream.getsockname()[1], datagrams.getsockname()[1]]), flush=True)
sys.stdin.read()
