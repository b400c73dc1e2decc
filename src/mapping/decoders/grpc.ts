import { ok } from "../../core/result.ts";
import { type Decoder, unreadable } from "./decoder.ts";
import { contentType } from "./media_type.ts";

const PATH = /^\/([A-Za-z_][\w.]*)\/([A-Za-z_]\w*)$/;

/** gRPC: service and method are the path; policies are told them by name. */
export const grpc: Decoder = {
  reads: "nothing",
  decode({ call, headers, rule }) {
    const path = PATH.exec(call.path);
    const type = contentType(headers);
    if (!type.ok) return unreadable("the gRPC call", type.error);
    if (type.value === undefined || !/^application\/grpc(?:$|[+-])/.test(type.value.type)) {
      return unreadable("the gRPC call", "Content-Type is not that of gRPC");
    }
    if (path === null || call.method !== "POST") {
      return unreadable("the gRPC call", "it is not POST /<service>/<method>");
    }
    const attributes = { grpc_service: path[1]!, grpc_method: path[2]! };
    return ok({ operations: [{ actionClass: rule.actionClass, attributes }] });
  },
};
