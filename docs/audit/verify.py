#!/usr/bin/env python3
"""Verifies an audit log of firma, or a proof that an event is in one.

    verify.py LOG PUBLIC_KEY             the log with the checkpoint beside it, LOG.checkpoint
    verify.py --proof PROOF PUBLIC_KEY   what firma audit prove prints

Exit status: 0 whole, 1 broken. Needs Python 3.8 and the package "cryptography"."""
import base64, hashlib, json, os, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def check(condition, reason):
    if not condition:
        raise ValueError(reason)

def leaf_hash(line):
    return hashlib.sha256(b"\0" + line).digest()

def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()

def tree_root(hashes):
    """RFC 6962, 2.1."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    while len(hashes) > 1:  # an odd one out at the end of a level moves up as it is
        pairs = [node_hash(*hashes[i : i + 2]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(hashes) // 2 * 2 :]
    return hashes[0]

def check_line(line, seq, key):
    """Checks signature and number; returns the event."""
    event = json.loads(line)
    member = b',"signature":"%s"' % event["signature"].encode()
    check(line.count(member) == 1, "line %d has no signature where it belongs" % seq)
    key.verify(base64.b64decode(event["signature"], validate=True), line.replace(member, b""))
    check(event["seq"] == seq, "line %d says that it is number %s" % (seq, event["seq"]))
    return event

def read_checkpoint(note, key, raw_key):
    """C2SP tlog-checkpoint: returns size and root."""
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = (text + "\n").split("\n")[:3]
    known = hashlib.sha256(origin.encode() + b"\n\1" + raw_key).digest()[:4]
    for signature in signatures.splitlines():
        dash, name, blob = signature.split(" ")
        blob = base64.b64decode(blob)
        if dash == "\u2014" and name == origin and blob[:4] == known:
            key.verify(blob[4:], (text + "\n").encode())
            return int(size), base64.b64decode(root, validate=True)
    raise ValueError("no known key signed the checkpoint")

def verify_log(path, key, raw_key):
    lines = open(path, "rb").read().split(b"\n")
    check(lines.pop() == b"", "the last line has no end")
    prev = "0" * 64
    for seq, line in enumerate(lines, 1):
        event = check_line(line, seq, key)
        check(event["prev"] == prev, "line %d does not follow the one before" % seq)
        lost = event["kind"] == "key" and event["change"] == "truncated"
        check(not lost, "line %d records a loss" % seq)
        prev = hashlib.sha256(line).hexdigest()
    if os.path.exists(path + ".checkpoint"):
        note = open(path + ".checkpoint", encoding="utf-8").read()
        size, root = read_checkpoint(note, key, raw_key)
        check(size <= len(lines), "%d lines are missing at the end" % (size - len(lines)))
        vouched = tree_root([leaf_hash(line) for line in lines[:size]])
        check(vouched == root, "the checkpoint vouches for other lines")
    return "whole, %d lines" % len(lines)

def verify_proof(path, key, raw_key):
    """C2SP tlog-proof, with the event in "extra"; RFC 9162, 2.1.3.2."""
    head, _, note = open(path, encoding="utf-8").read().partition("\n\n")
    header, extra, index, *siblings = head.split("\n")
    check(header == "c2sp.org/tlog-proof@v1", "it is not a proof")
    line, index = base64.b64decode(extra.split(" ")[1]), int(index.split(" ")[1])
    check_line(line, index + 1, key)
    size, root = read_checkpoint(note, key, raw_key)
    check(index < size, "the checkpoint does not reach to the event")
    node, last, result = index, size - 1, leaf_hash(line)
    for sibling in (base64.b64decode(sibling, validate=True) for sibling in siblings):
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
    *words, key_file = sys.argv[1:]
    raw = base64.b64decode(open(key_file).read())
    verify = verify_proof if words[0] == "--proof" else verify_log
    try:
        print(verify(words[-1], Ed25519PublicKey.from_public_bytes(raw), raw))
    except (ValueError, KeyError, InvalidSignature) as error:
        sys.exit("broken: %s" % (error or "a signature does not fit"))
