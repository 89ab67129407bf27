// The thread that reads and writes the file, for the process that hands its messages out.

import { parentPort, workerData } from "node:worker_threads";

import { codedError } from "../../../base/errors.js";
import { isStillAt } from "../file.js";
import { LocalBackend } from "../local-backend.js";
import { SEND, sentError, type Beginning, type Call, type Reply } from "./wire.js";

const send = (reply: Reply): void => parentPort?.postMessage(reply);

function opened(): LocalBackend | undefined {
  const { settings, ...opening } = workerData as Beginning;
  const { place } = settings;
  const changes = {
    wake: () => send({ change: "wake", source: "" }),
    forget: (source: string) => send({ change: "forget", source }),
  };
  try {
    // Never a new file: the process has made it. If it is gone, so are its messages.
    if ("file" in place && !isStillAt(place.file, opening.descriptor)) throw codedError("KALEYRA_SMS_INBOX_FILE_LOST");
    return new LocalBackend(settings, changes, { ...opening, isNewAllowed: false });
  } catch (error) {
    send({ failed: sentError(error) });
    return undefined;
  }
}

async function resultOf(call: Call, backend: LocalBackend): Promise<unknown> {
  const { operations } = backend;
  switch (call.name) {
    case "write":
      return SEND.write(backend.write(...call.args));
    case "gone":
      return backend.gone(...call.args);
    case "deadLetters":
      return SEND.deadLetters(await operations.deadLetters(...call.args));
    case "get":
      return SEND.get(await operations.get(...call.args));
    case "stats":
      return operations.stats();
    case "replay":
      return operations.replay(...call.args);
    case "replayAll":
      return operations.replayAll();
    case "discard":
      return operations.discard(...call.args);
    case "forget":
      return operations.forget(...call.args);
    case "countOf":
      return operations.countOf(...call.args);
    case "close":
      return backend.close();
  }
}

const backend = opened();

parentPort?.on("message", (call: Call) => {
  if (backend === undefined) return;
  const { id, name } = call;
  resultOf(call, backend)
    .then(
      (result) => send({ id, result, at: Date.now() }),
      (error: unknown) => send({ id, error: sentError(error) }),
    )
    .finally(() => {
      if (name === "close") parentPort?.close();
    });
});
if (backend === undefined) parentPort?.close();
