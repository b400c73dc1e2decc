import { eventStream, reply, type Vendor } from "./vendor.ts";

interface Part {
  readonly text?: string;
  readonly functionResponse?: { readonly response?: unknown };
}
interface Asked {
  readonly contents: readonly { readonly role: string; readonly parts: readonly Part[] }[];
  readonly tools?: readonly {
    readonly functionDeclarations?: readonly { readonly name: string }[];
  }[];
}

/** The Gemini API of Google. */
export const GOOGLE: Vendor = {
  host: "generativelanguage.googleapis.com",
  async answer(request) {
    const verb = /:(\w+)$/.exec(new URL(request.url).pathname)?.[1];
    if (verb === "countTokens") return Response.json({ totalTokens: 10 });
    if (verb !== "generateContent" && verb !== "streamGenerateContent") return undefined;
    const asked: Asked = await request.json();
    const parts = asked.contents.flatMap((content) => content.parts);
    const result = parts.findLast(({ functionResponse }) => functionResponse !== undefined);
    const prompt = parts.map(({ text }) => text ?? "").join("\n");
    const said = reply(
      prompt,
      result && JSON.stringify(result.functionResponse!.response),
    );
    const names = asked.tools?.flatMap((tool) => tool.functionDeclarations ?? []) ?? [];
    const shell = names.find(({ name }) => name === "run_shell_command");
    const part = said.kind === "text" || shell === undefined
      ? { text: said.kind === "text" ? said.text : "" }
      : { functionCall: { name: shell.name, args: { command: said.command } } };
    const answer = {
      candidates: [{ content: { role: "model", parts: [part] }, finishReason: "STOP", index: 0 }],
      usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20 },
      modelVersion: "stand-in",
    };
    return verb === "generateContent" ? Response.json(answer) : eventStream([answer], false);
  },
};
