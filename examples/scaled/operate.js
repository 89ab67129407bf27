// `npm run inbox -- VERB`: the command of the package, on the inbox at INBOX_URL.

import "./env.js";
import { spawn } from "node:child_process";

import { engine, INBOX_URL } from "./storage.js";

const args = ["inbox", `--${engine}`, "env:INBOX_URL", ...process.argv.slice(2)];
const env = { ...process.env, INBOX_URL };
spawn("express-kaleyra-sms", args, { stdio: "inherit", env, shell: process.platform === "win32" }).once(
  "exit",
  (code) => {
    process.exitCode = code ?? 1;
  },
);
