#!/usr/bin/env python3
"""verify.py LOG PUBLIC_KEY...: verifies an audit log of firma with its closed files, unpacked, and
the checkpoint beside it. Exit status: 0 whole, 1 broken. Needs the package "cryptography"."""
import glob, json, os, re, sys
from base64 import b64decode, b64encode
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from functools import reduce
from hashlib import sha256

def check(condition, reason):
    if not condition:
        raise ValueError(reason)

def node_hash(left, right):
    return sha256(b"\1" + left + right).digest()

def grow(peaks, line):
    """RFC 6962, 2.1; peaks are sizes and roots of full trees, from the left."""
    size, node = 1, sha256(b"\0" + line).digest()
    while peaks and peaks[-1][0] == size:
        size, node = 2 * size, node_hash(peaks.pop()[1], node)
    peaks.append((size, node))

def is_signed(key, signature, message):
    try:
        return Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(signature, message) is None
    except InvalidSignature:
        return False

def check_line(line, keys):
    """Checks the signature; returns the event, and leaves in keys those that are known after it."""
    event = json.loads(line)
    said = event if event["kind"] == "key" else {}
    key, root, heir = map(said.get, ("public_key", "root_public_key", "next_public_key"))
    statement = b"firma audit key\n%s\n" % str(key).encode()
    if root in keys and is_signed(root, b64decode(said["root_signature"]), statement):
        keys.add(key)
    text = event["signature"].encode()
    signed, raw = line.replace(b',"signature":"%s"' % text, b"", 1), b64decode(text, validate=True)
    known = any(is_signed(each, raw, signed) for each in (keys & {key} if heir else keys))
    check(known and b64encode(raw) == text, "no known key signed line %s so" % event["seq"])
    keys ^= {key, heir} if heir else set()
    return event, said

def read_checkpoint(note, keys):  # C2SP tlog-checkpoint: size and root
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = (text + "\n").split("\n")[:3]
    for name, blob in re.findall("^\u2014 (.*) (.*)$", signatures, re.M):
        for key in keys:
            key_id = sha256(origin.encode() + b"\n\1" + b64decode(key)).digest()[:4]
            signed = is_signed(key, b64decode(blob)[4:], (text + "\n").encode())
            if name == origin and b64decode(blob)[:4] == key_id and signed:
                return int(size), b64decode(root, validate=True)
    raise ValueError("no known key signed the checkpoint")

def lines_of(log):
    closed = [name for name in glob.glob(glob.escape(log) + ".*-*")
              if re.search(r"\.\d+-\d+$", name) and not os.path.samefile(name, log)]
    for name in sorted(closed) + [log]:
        for line in open(name, "rb"):
            check(line.endswith(b"\n"), "the last line of %s has no end" % name)
            yield line[:-1]

def verify_log(log, keys):
    ever, peaks, seq, prev, before, dropped, root = set(keys), [], 0, "0" * 64, 0, 0, None
    path = log + ".checkpoint"
    note = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
    for line in lines_of(log):
        event, said = check_line(line, keys)
        ever |= keys
        if "tree" in said:  # the first line of a file speaks of all lines before it
            trees, end = [b64decode(tree) for tree in said["tree"]], said["last_seq"]
            if seq == 0:
                before, seq, prev = end, end, event["prev"]
                sizes = (1 << bit for bit in reversed(range(end.bit_length())) if end >> bit & 1)
                peaks = list(zip(sizes, trees))
            check(trees == [tree for _, tree in peaks], "line %d speaks of others" % (seq + 1))
        seq += 1
        check((event["seq"], event["prev"]) == (seq, prev), "line %d is not the one here" % seq)
        check(said.get("change") != "truncated", "line %d records a loss" % seq)
        dropped = max(dropped, said["last_seq"] if said.get("change") == "dropped" else 0)
        prev = sha256(line).hexdigest()
        grow(peaks, line)
        if note.split("\n")[1:2] == [str(seq)]:
            root = reduce(lambda right, left: node_hash(left, right), [h for _, h in peaks[::-1]])
    check(before <= dropped, "lines up to %d are missing" % before)
    if note:
        size, vouched = read_checkpoint(note, ever)
        check(size == 0 or root == vouched, "it is not the log of %d lines of its checkpoint" % size)
    return "whole, %d lines" % (seq - before)

def main(judge):
    try:
        print(judge(sys.argv[1], {open(name).read().strip() for name in sys.argv[2:]}))
    except (ValueError, KeyError, TypeError) as error:
        sys.exit("broken: %s" % error)

if __name__ == "__main__":
    main(verify_log)
