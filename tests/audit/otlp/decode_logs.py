"""Decodes an ExportLogsServiceRequest from standard input with Google's protobuf, by descriptors of
the published wire format, and prints it as JSON. Shares nothing with the encoder."""
import sys
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

KINDS = {name: getattr(descriptor_pb2.FieldDescriptorProto, "TYPE_" + name.upper())
         for name in ("string", "bool", "int64", "double", "bytes", "fixed64", "fixed32", "uint32", "int32")}
MESSAGES = {
    "AnyValue": [(1, "string_value", "string", "value"), (2, "bool_value", "bool", "value"),
                 (3, "int_value", "int64", "value"), (4, "double_value", "double", "value"),
                 (5, "array_value", "ArrayValue", "value"), (7, "bytes_value", "bytes", "value")],
    "ArrayValue": [(1, "values", "AnyValue*", None)],
    "KeyValue": [(1, "key", "string", None), (2, "value", "AnyValue", None)],
    "Resource": [(1, "attributes", "KeyValue*", None), (2, "dropped_attributes_count", "uint32", None)],
    "InstrumentationScope": [(1, "name", "string", None), (2, "version", "string", None)],
    "LogRecord": [(1, "time_unix_nano", "fixed64", None), (11, "observed_time_unix_nano", "fixed64", None),
                  (2, "severity_number", "int32", None), (3, "severity_text", "string", None),
                  (5, "body", "AnyValue", None), (6, "attributes", "KeyValue*", None),
                  (8, "flags", "fixed32", None), (9, "trace_id", "bytes", None),
                  (10, "span_id", "bytes", None), (12, "event_name", "string", None)],
    "ScopeLogs": [(1, "scope", "InstrumentationScope", None), (2, "log_records", "LogRecord*", None),
                  (3, "schema_url", "string", None)],
    "ResourceLogs": [(1, "resource", "Resource", None), (2, "scope_logs", "ScopeLogs*", None),
                     (3, "schema_url", "string", None)],
    "ExportLogsServiceRequest": [(1, "resource_logs", "ResourceLogs*", None)],
}

file = descriptor_pb2.FileDescriptorProto(name="otlp.proto", package="otlp", syntax="proto3")
for name, fields in MESSAGES.items():
    message = file.message_type.add(name=name)
    if any(oneof for *_, oneof in fields):
        message.oneof_decl.add(name="value")
    for number, field, kind, oneof in fields:
        repeated, kind = kind.endswith("*"), kind.rstrip("*")
        added = message.field.add(name=field, number=number, label=3 if repeated else 1)
        if kind in KINDS:
            added.type = KINDS[kind]
        else:
            added.type, added.type_name = 11, ".otlp." + kind
        if oneof:
            added.oneof_index = 0

pool = descriptor_pool.DescriptorPool()
pool.Add(file)
request = message_factory.MessageFactory(pool).GetPrototype(
    pool.FindMessageTypeByName("otlp.ExportLogsServiceRequest"))()
request.ParseFromString(sys.stdin.buffer.read())
if any(request.UnknownFields()[i] for i in range(len(request.UnknownFields()))):
    sys.exit("there are fields that OTLP does not have")
print(json_format.MessageToJson(request, preserving_proto_field_name=True))
