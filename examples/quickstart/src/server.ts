// Starts the app, says how to try it, and stops it without losing what is being handled.

import "./env.js";
import { app } from "./app.js";
import { printHowToTry } from "./how-to-try.js";
import { sms } from "./sms.js";

const port = wholeNumber("PORT", 3000, 65_535); // 0 takes any free port
const drainMs = wholeNumber("DRAIN_MS", 10_000, 600_000); // read at the start, not when it is needed

const server = app.listen(port, (error) => {
  if (error !== undefined) {
    fail(error);
    return;
  }
  const address = server.address();
  printHowToTry(`http://localhost:${typeof address === "object" ? (address?.port ?? port) : port}`);
});

function wholeNumber(name: string, byDefault: number, max: number): number {
  const given = process.env[name] ?? "";
  const number = given === "" ? byDefault : Number(given);
  if (Number.isInteger(number) && number >= 0 && number <= max) return number;
  console.error(`${name} must be a whole number from 0 to ${max}: ${name}=${byDefault} npm start`);
  process.exit(1);
}

// After SIGTERM, a load balancer still sends callbacks for a while. Ctrl+C, or a second signal, does not wait for them.
let hasBegun = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    const isDrained = signal === "SIGTERM" && !hasBegun;
    hasBegun = true;
    void sms.close({ drainMs: isDrained ? drainMs : 0 }).then(() => server.close());
  });
}

function fail(error: NodeJS.ErrnoException): void {
  console.error(
    error.code === "EADDRINUSE"
      ? `Port ${port} is taken. Stop what listens there, or choose another: PORT=${port + 1} npm start`
      : `The server could not start: ${error.message}`,
  );
  process.exitCode = 1;
}
