/**
 * The few messages of OTLP (opentelemetry-proto 1.x, `collector/logs/v1`) that logs need, written
 * field by field: numbers in comments of the code that generates would say no more.
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";

/** A value of an attribute; lists are of strings. */
export type AttributeValue = string | number | boolean | readonly string[];

/** Attributes by name; those that are `undefined` are left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** A record of a log. */
export interface LogRecord {
  /** Nanoseconds since the epoch. */
  readonly timeUnixNano: bigint;
  readonly observedTimeUnixNano: bigint;
  /** As OpenTelemetry counts: 9 is INFO, 13 WARN, 17 ERROR. */
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string;
  readonly eventName: string;
  readonly attributes: Attributes;
}

/** Records of one source. */
export interface LogBatch {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
  /** Says which semantic conventions the attributes follow. */
  readonly schemaUrl: string;
  readonly records: readonly LogRecord[];
}

/** Encodes an `ExportLogsServiceRequest`. */
export function encodeLogs({ resource, scope, schemaUrl, records }: LogBatch): Uint8Array {
  const writer = new BinaryWriter();
  message(writer, 1, () => { // resource_logs
    message(writer, 1, () => attributesInto(writer, 1, resource)); // resource
    message(writer, 2, () => { // scope_logs
      message(writer, 1, () => { // scope
        text(writer, 1, scope.name);
        text(writer, 2, scope.version);
      });
      for (const record of records) message(writer, 2, () => recordInto(writer, record));
      text(writer, 3, schemaUrl);
    });
    text(writer, 3, schemaUrl);
  });
  return writer.finish();
}

const [VARINT, FIXED64, LENGTH] = [0, 1, 2];

function recordInto(writer: BinaryWriter, record: LogRecord): void {
  writer.tag(1, FIXED64).fixed64(record.timeUnixNano);
  writer.tag(2, VARINT).int32(record.severityNumber);
  text(writer, 3, record.severityText);
  message(writer, 5, () => valueInto(writer, record.body));
  attributesInto(writer, 6, record.attributes);
  writer.tag(11, FIXED64).fixed64(record.observedTimeUnixNano);
  text(writer, 12, record.eventName);
}

function attributesInto(writer: BinaryWriter, field: number, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    message(writer, field, () => {
      text(writer, 1, name);
      message(writer, 2, () => valueInto(writer, value));
    });
  }
}

/** `AnyValue`. */
function valueInto(writer: BinaryWriter, value: AttributeValue): void {
  // Not `text`: a value that is empty is still a string.
  if (typeof value === "string") writer.tag(1, LENGTH).string(value.toWellFormed());
  else if (typeof value === "boolean") writer.tag(2, VARINT).bool(value);
  else if (typeof value !== "number") {
    message(writer, 5, () => {
      for (const each of value) message(writer, 1, () => valueInto(writer, each));
    });
  } else if (Number.isSafeInteger(value)) writer.tag(3, VARINT).int64(value);
  else writer.tag(4, FIXED64).double(value);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, LENGTH).string(value.toWellFormed());
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, LENGTH).fork();
  write();
  writer.join();
}
