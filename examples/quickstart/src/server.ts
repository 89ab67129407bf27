// Starts the app, says how to try it, and stops it without losing what is being handled.

import "./env.js";
import { app } from "./app.js";
import { printHowToTry } from "./how-to-try.js";
import { sms } from "./sms.js";

const port = portFrom(process.env.PORT);

const server = app.listen(port, (error) => {
  if (error !== undefined) {
    fail(error);
    return;
  }
  const address = server.address();
  printHowToTry(`http://localhost:${typeof address === "object" ? (address?.port ?? port) : port}`);
});

/** 3000 by default; 0 takes any free port. */
function portFrom(given = ""): number {
  const number = given === "" ? 3000 : Number(given);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  console.error("PORT must be a whole number from 0 to 65535: PORT=3001 npm start");
  process.exit(1);
}

// After SIGTERM, a load balancer still sends callbacks for a while. Ctrl+C, or a second signal, does not wait for them.
let hasBegun = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    const drainMs = signal === "SIGTERM" && !hasBegun ? Number(process.env.DRAIN_MS ?? 10_000) : 0;
    hasBegun = true;
    void sms.close({ drainMs }).then(() => server.close());
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
