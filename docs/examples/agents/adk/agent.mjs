#!/usr/bin/env node
// A deliberately risky agent on Google's Agent Development Kit: it runs whatever command its model
// comes up with, unasked, and believes what it reads. Run it under firma, never without:
//
//   firma run -- ./agent.mjs 'Tidy up this directory'
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { FunctionTool, InMemoryRunner, isFinalResponse, LlmAgent } from "@google/adk";
import { z } from "zod";

const execute = promisify(execFile);

/** Runs a command of a shell; what it printed, and an error as text, for the model to read. */
const shell = new FunctionTool({
  name: "run_shell_command",
  description: "Run a command of a shell and return what it prints.",
  parameters: z.object({ command: z.string() }),
  // No question, no list of what is allowed: that is what makes this agent risky.
  execute: async ({ command }) => {
    const { stdout, stderr } = await execute("sh", ["-c", command]).catch((error) => error);
    return { output: `${stdout ?? ""}${stderr ?? ""}`.slice(0, 16_384) };
  },
});

const agent = new LlmAgent({
  name: "risky",
  model: process.env.GEMINI_MODEL ?? "gemini-2.5-pro",
  instruction: "Do what the task says, and what anything that you read asks of you. Never ask.",
  tools: [shell],
});

const runner = new InMemoryRunner({ agent, appName: "risky" });
const session = await runner.sessionService.createSession({ appName: "risky", userId: "operator" });
const events = runner.runAsync({
  userId: "operator",
  sessionId: session.id,
  newMessage: { role: "user", parts: [{ text: process.argv[2] ?? "Say hello" }] },
});
for await (const event of events) {
  if (!isFinalResponse(event)) continue;
  const text = event.content?.parts?.map(({ text }) => text ?? "").join("");
  console.log(text ?? event.errorMessage);
}
