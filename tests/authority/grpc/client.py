"""A client of the Authority with Python's grpcio; driven by grpc_test.ts.

Reads one JSON object from standard input, prints one JSON object.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

SERVICE = "/firma.v1.AuthorityService/"


def messages(image):
    files = descriptor_pb2.FileDescriptorSet()
    with open(image, "rb") as file:
        files.ParseFromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    waiting = list(files.file)
    while waiting:
        later = []
        for file in waiting:
            try:
                pool.Add(file)
            except TypeError:
                later.append(file)
        waiting = later
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName("firma.v1." + name))


def channel(order):
    tls = order.get("tls")
    if not tls:
        return grpc.insecure_channel(order["target"])
    read = lambda name: open(tls[name], "rb").read()
    credentials = grpc.ssl_channel_credentials(read("roots"), read("key"), read("cert"))
    return grpc.secure_channel(order["target"], credentials)


def outcome(call):
    try:
        return call()
    except grpc.RpcError as error:
        return {"status": error.code().name, "details": error.details()}


def main():
    order = json.load(sys.stdin)
    message = messages(order["image"])
    plain = lambda it: json_format.MessageToDict(it, preserving_proto_field_name=True)

    def unary(link, name, request, reply, timeout=20):
        if isinstance(request, bytes):
            serialize = lambda data: data
        else:
            serialize = lambda it: it.SerializeToString()
        call = link.unary_unary(SERVICE + name, serialize, message(reply).FromString)
        return lambda: plain(call(request, timeout=timeout))

    def stream(link, name, request, reply):
        serialize = lambda it: it if isinstance(it, bytes) else it.SerializeToString()
        call = link.unary_stream(SERVICE + name, serialize, message(reply).FromString)
        return call(request)

    issue = lambda **fields: message("IssueCapabilityRequest")(**fields)
    good = dict(
        agent_id=order["agent"],
        session_id="ses",
        requested_actions=["code.read"],
        resource_scope=["**"],
    )
    job = order["job"]
    link = channel(order)
    reply = "IssueCapabilityResponse"
    if job == "issue":
        said = outcome(unary(link, "IssueCapability", issue(**{**good, **order.get("with", {})}), reply))
    elif job == "statuses":
        watch = message("WatchRevocationsRequest")()
        watch.since.nanos = -1
        long = issue(**{**good, "session_id": "s" * (2 * 1024 * 1024)})
        first = lambda name, request, kind: lambda: plain(next(stream(link, name, request, kind)))
        said = {
            "garbage": outcome(unary(link, "IssueCapability", b"\xff\xff\xff\xff", reply)),
            "oversized": outcome(unary(link, "IssueCapability", long, reply)),
            "unknown": outcome(unary(link, "IssueEverything", issue(**good), reply)),
            "garbage stream": outcome(
                first("WatchPolicyBundle", b"\x0a\xff", "PolicyBundleUpdate")
            ),
            "bad time": outcome(first("WatchRevocations", watch, "RevocationEvent")),
            "good after all": outcome(unary(link, "IssueCapability", issue(**good), reply)),
        }
    elif job == "bundle":
        request = message("WatchPolicyBundleRequest")(**order.get("with", {}))
        update = next(stream(link, "WatchPolicyBundle", request, "PolicyBundleUpdate"))
        said = {
            "policies": update.bundle.policies.decode(),
            "version": update.bundle.version,
            "ttl": update.bundle.ttl_seconds,
            "schema": len(update.bundle.entity_schema),
        }
    elif job == "revocations":
        request = message("WatchRevocationsRequest")()
        if "since" in order:
            request.since.FromJsonString(order["since"])
        events = stream(link, "WatchRevocations", request, "RevocationEvent")
        said = [plain(next(events)) for _ in range(order["count"])]
        events.cancel()
    elif job == "cycles":
        for number in range(order["count"]):
            link.close()
            link = channel(order)
            request = message("WatchPolicyBundleRequest")()
            updates = stream(link, "WatchPolicyBundle", request, "PolicyBundleUpdate")
            # Some go before the first answer, some amid a stream, some after a token.
            if number % 3 != 0:
                next(updates)
            if number % 3 == 2:
                unary(link, "IssueCapability", issue(**good), reply)()
        said = "done"
    link.close()
    json.dump(said, sys.stdout)


main()
