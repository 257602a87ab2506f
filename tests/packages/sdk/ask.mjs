import { query } from "@anthropic-ai/claude-agent-sdk";

const [claude, model] = process.argv.slice(2);
const options = { model, pathToClaudeCodeExecutable: claude };
for await (const message of query({ prompt: "hi", options })) {
  if (message.type === "result") console.log(message.result ?? JSON.stringify(message));
}
