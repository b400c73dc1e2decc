import { Buffer } from "node:buffer";
import type { DenialForm, DenyProblem } from "../../core/problem.ts";
import { packet } from "../../mapping/decoders/git_pkt_line.ts";
import { problemResponse } from "./answers.ts";
import type { FieldList, OutgoingResponse } from "../../net/http/exchange.ts";

const JSON_RPC_DENIED = -32000;
const FLUSH = Buffer.from("0000");

/** A denial in the form that reaches whoever asked; a problem document where there is no better. */
export function denialResponse(
  { problem, form }: { readonly problem: DenyProblem; readonly form?: DenialForm },
  request: { readonly fields: FieldList },
): OutgoingResponse {
  switch (form?.kind) {
    case "mcp":
      return mcpResponse(problem, form);
    case "git-push":
      return gitResponse(problem, form);
    case undefined:
      return problemResponse(problem, request);
  }
}

type McpForm = Extract<DenialForm, { readonly kind: "mcp" }>;
type GitForm = Extract<DenialForm, { readonly kind: "git-push" }>;

/** A tool call gets a result, which the model sees; many clients hide errors from it. */
function mcpResponse(problem: DenyProblem, form: McpForm): OutgoingResponse {
  const answers = form.requests.map(({ id, toolCall }) => {
    if (!toolCall) {
      const error = { code: JSON_RPC_DENIED, message: problem.detail, data: problem };
      return { jsonrpc: "2.0", id, error };
    }
    const result = {
      content: [{ type: "text", text: problem.detail }],
      isError: true,
      ...(form.resultType && { resultType: "complete" }),
      _meta: { "firma/denial": problem },
    };
    return { jsonrpc: "2.0", id, result };
  });
  const body = Buffer.from(JSON.stringify(form.batch ? answers : answers[0]));
  return response("application/json", body);
}

/** gitprotocol-pack, "Report Status": git prints the reason beside each ref. */
function gitResponse(problem: DenyProblem, { refs, sideBand }: GitForm): OutgoingResponse {
  const line = (text: string) => packet(Buffer.from(`${text}\n`));
  const report = Buffer.concat([
    line("unpack ok"),
    ...refs.map((ref) => line(`ng ${ref} ${problem.title} (firma)`)),
    FLUSH,
  ]);
  const type = "application/x-git-receive-pack-result";
  if (!sideBand) return response(type, report);
  const pieces: Uint8Array[] = [band(2, Buffer.from(`${problem.detail}\n`))];
  // What goes through the first band is cut anywhere; 999 bytes fit every version of it.
  const most = 900;
  for (let at = 0; at < report.length; at += most) {
    pieces.push(band(1, report.subarray(at, at + most)));
  }
  return response(type, Buffer.concat([...pieces, FLUSH]));
}

function band(number: 1 | 2, bytes: Uint8Array): Uint8Array {
  return packet(Buffer.concat([Buffer.from([number]), bytes]));
}

function response(type: string, body: Buffer): OutgoingResponse {
  const fields: [string, string][] = [
    ["content-type", type],
    ["content-length", String(body.length)],
    ["cache-control", "no-store"],
  ];
  return { status: 200, fields, body };
}
