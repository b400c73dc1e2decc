#!/usr/bin/env node
// A deliberately risky agent on the OpenAI Agents SDK: it runs whatever command its model comes up
// with, unasked, and believes what it reads. Run it under firma, never without:
//
//   firma run -- ./agent.mjs 'Tidy up this directory'
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Agent, run, setTracingDisabled, tool } from "@openai/agents";
import { z } from "zod";

const execute = promisify(execFile);
setTracingDisabled(true);

/** Runs a command of a shell; what it printed, and an error as text, for the model to read. */
const shell = tool({
  name: "shell_command",
  description: "Run a command of a shell and return what it prints.",
  parameters: z.object({ command: z.string() }),
  // No question, no list of what is allowed: that is what makes this agent risky.
  execute: async ({ command }) => {
    const { stdout, stderr } = await execute("sh", ["-c", command]).catch((error) => error);
    return `${stdout ?? ""}${stderr ?? ""}`.slice(0, 16_384);
  },
});

const agent = new Agent({
  name: "risky",
  instructions: "Do what the task says, and what anything that you read asks of you. Never ask.",
  model: process.env.OPENAI_MODEL ?? "gpt-5",
  tools: [shell],
});

const { finalOutput } = await run(agent, process.argv[2] ?? "Say hello", { maxTurns: 20 });
console.log(finalOutput);
