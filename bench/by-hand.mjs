// What users write by hand if a library leaves it to them: the schema of a callback, and the choice of the keyword.

const text = { type: "string" };

export const SCHEMA = {
  type: "object",
  required: ["id", "source", "recipient", "message"],
  properties: {
    id: text,
    source: text,
    recipient: text,
    message: text,
    keyword: text,
    kid: text,
    description: text,
    status: { const: "SENT" },
    status_trace: text,
    operator: text,
    circle: text,
    timestamp: text,
  },
};

/** Whether a callback is valid. */
export async function compileSchema() {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  return new Ajv2020({ allErrors: true }).compile(SCHEMA);
}

export function switchOn(text, handled) {
  switch (text.trim().split(/\s+/)[0].toUpperCase()) {
    case "STOP":
    case "STOPALL":
    case "UNSUBSCRIBE":
    case "CANCEL":
    case "END":
    case "QUIT":
      handled.keyword();
      break;
    case "START":
    case "YES":
    case "UNSTOP":
      handled.keyword();
      break;
    case "HELP":
    case "INFO":
      handled.keyword();
      break;
  }
}

/** The same for the libraries that take patterns. */
export const PATTERNS = [
  /^\s*(?:STOP|STOPALL|UNSUBSCRIBE|CANCEL|END|QUIT)\b/i,
  /^\s*(?:START|YES|UNSTOP)\b/i,
  /^\s*(?:HELP|INFO)\b/i,
];
