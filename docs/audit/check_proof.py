#!/usr/bin/env python3
"""Checks a proof that an event is in an audit log of firma: what firma audit prove prints.

    check_proof.py PROOF PUBLIC_KEY...

Exit status: 0 it is, 1 nothing proves it. Needs verify.py beside it."""
from base64 import b64decode
from hashlib import sha256
from verify import check, check_line, main, node_hash, read_checkpoint

def check_proof(path, keys):
    """C2SP tlog-proof, with the event in "extra"; RFC 9162, 2.1.3.2."""
    head, _, note = open(path, encoding="utf-8").read().partition("\n\n")
    header, extra, index, *siblings = head.split("\n")
    check(header == "c2sp.org/tlog-proof@v1", "it is not a proof")
    line, index = b64decode(extra.split(" ")[1]), int(index.split(" ")[1])
    size, root = read_checkpoint(note, keys)
    event, _ = check_line(line, keys)
    check(event["seq"] == index + 1, "its event says that it is number %s" % event["seq"])
    check(index < size, "the checkpoint does not reach to the event")
    node, last, result = index, size - 1, sha256(b"\0" + line).digest()
    for sibling in (b64decode(sibling, validate=True) for sibling in siblings):
        check(last > 0, "the path is too long")
        if node % 2 or node == last:
            result = node_hash(sibling, result)
            while node % 2 == 0 and node:
                node, last = node // 2, last // 2
        else:
            result = node_hash(result, sibling)
        node, last = node // 2, last // 2
    check(last == 0 and result == root, "the event is not in the log")
    return line.decode()

if __name__ == "__main__":
    main(check_proof)
