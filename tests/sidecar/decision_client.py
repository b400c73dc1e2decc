"""A client of the decision API with Python's grpcio; driven by decision_test.ts.

Reads one JSON object from standard input: where to connect, the image of the protocol, and
requests, each as an object, or as the size of a body. Prints the outcomes as a JSON array.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

order = json.load(sys.stdin)
files = descriptor_pb2.FileDescriptorSet()
with open(order["image"], "rb") as file:
    files.ParseFromString(file.read())
pool = descriptor_pool.DescriptorPool()
pool.Add(next(file for file in files.file if file.name == "firma/v1/interceptor.proto"))
factory = message_factory.MessageFactory(pool)
message = lambda name: factory.GetPrototype(pool.FindMessageTypeByName("firma.v1." + name))


def serialized(request):
    if request == "garbage":
        return b"\xff\xff\xff"
    fields = {"body": ""} if isinstance(request, int) else request
    made = json_format.ParseDict(fields, message("InterceptRequest")())
    if isinstance(request, int):
        made.body = bytes(request)
    return made.SerializeToString()


with grpc.insecure_channel(order["target"]) as channel:
    intercept = channel.unary_unary(
        "/firma.v1.InterceptorHook/" + order.get("method", "Intercept"),
        serialized,
        message("InterceptResponse").FromString,
    )
    outcomes = []
    for request in order["requests"]:
        try:
            answer = intercept(request, timeout=60)
            outcomes.append([answer.allowed, answer.reason or answer.decision])
        except grpc.RpcError as error:
            outcomes.append(error.code().name)
print(json.dumps(outcomes))
