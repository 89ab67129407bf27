// The servers that are measured, in the order of the table. `against` is the row that a row is compared with.

const ours = (options) => ({ method: "POST", ...options });

export const ROWS = [
  {
    id: "ours-express-post",
    label: "express-kaleyra-sms, Express 5, POST",
    server: "package-express",
    options: ours(),
    against: "by-hand",
  },
  {
    id: "ours-express-get",
    label: "express-kaleyra-sms, Express 5, GET",
    server: "package-express",
    options: ours({ method: "GET" }),
    against: "ours-express-post",
  },
  {
    id: "ours-express-pasted",
    label: "the same, POST, a text with quotes that is not escaped",
    server: "package-express",
    options: ours({ text: 'UNSUBSCRIBE the "offer" text!' }),
    against: "ours-express-post",
  },
  {
    id: "ours-express-all",
    label: "the same, POST, with every option: who may call, profile, schema, time zone, decrypt",
    server: "package-express",
    options: ours({ isForAll: true }),
    against: "by-hand",
  },
  {
    id: "ours-express-country",
    label: "the same, POST, `defaultCountry`: numbers without a country code, which it has not met lately",
    server: "package-express",
    options: ours({ defaultCountry: "IN" }),
    against: "ours-express-post",
  },
  {
    id: "by-hand",
    label: "by hand: Express 5, `express.json()`, Ajv, `switch`, `res.send`",
    server: "express-by-hand",
  },
  { id: "empty", label: "Express 5, empty handler, no body parsing", server: "express-empty", against: "by-hand" },
  {
    id: "ours-http-post",
    label: "express-kaleyra-sms, `node:http`, POST",
    server: "package-http",
    options: ours(),
    against: "json",
  },
  {
    id: "ours-http-get",
    label: "express-kaleyra-sms, `node:http`, GET",
    server: "package-http",
    options: ours({ method: "GET" }),
    against: "ours-http-post",
  },
  {
    id: "ours-http-repeats",
    label: "the same, POST, `deduplicate: false`",
    server: "package-http",
    options: ours({ deduplicate: false }),
    against: "ours-http-post",
  },
  {
    id: "ours-http-all",
    label: "the same, POST, with every option",
    server: "package-http",
    options: ours({ isForAll: true }),
    against: "json",
  },
  { id: "json", label: "`node:http`, `JSON.parse`", server: "http-json" },
  {
    id: "octokit",
    label: "@octokit/webhooks, `node:http`",
    peer: "@octokit/webhooks",
    server: "octokit",
    against: "json",
  },
  { id: "slack", label: "@slack/bolt, its HTTP receiver", peer: "@slack/bolt", server: "slack", against: "json" },
  { id: "grammy", label: "grammy, Express 5", peer: "grammy", server: "grammy", against: "by-hand" },
  { id: "line", label: "@line/bot-sdk, Express 5", peer: "@line/bot-sdk", server: "line", against: "by-hand" },
  { id: "twilio", label: "twilio, Express 5", peer: "twilio", server: "twilio", against: "by-hand" },
  {
    id: "1-keyword",
    label: "express-kaleyra-sms, `node:http`, 1 keyword",
    server: "package-keywords",
    options: { keywords: 1 },
  },
  {
    id: "1000-keywords",
    label: "the same, 1,000 keywords",
    server: "package-keywords",
    options: { keywords: 1_000 },
    against: "1-keyword",
  },
  {
    id: "100000-keywords",
    label: "the same, 100,000 keywords",
    server: "package-keywords",
    options: { keywords: 100_000 },
    against: "1-keyword",
  },
].map((row) => ({ options: {}, ...row }));

/** What the last column calls a row that others are compared with. */
export const SHORT = {
  "by-hand": "by hand",
  "ours-express-post": "its POST",
  "ours-http-post": "its POST",
  json: "`JSON.parse`",
  "1-keyword": "1 keyword",
};
