// What is measured in pairs: a server, beside the one that it is compared with. Each row's `label` says what over what.

const post = { server: "package-express" };
const http = { server: "package-http" };
const byHand = { server: "express-by-hand" };
const json = { server: "http-json" };
const oneKeyword = { server: "package-keywords", options: { keywords: 1 } };
const withOptions = (side, options) => ({ ...side, options: { ...side.options, ...options } });

/** The main figure, under each version of Node. */
export const MAIN = { label: "Express, POST: of a handler written by hand", sides: [post, byHand] };
export const NODE_VERSIONS = [20, 22, 24, 26];

export const REQUESTS = [
  { id: "express-post", ...MAIN },
  {
    id: "express-get",
    label: "Express, GET: of a handler written by hand",
    sides: [withOptions(post, { method: "GET" }), withOptions(byHand, { method: "GET" })],
  },
  {
    id: "front",
    label: "in front of an Express app, POST: of a handler written by hand in the app",
    sides: [{ server: "package-front" }, byHand],
  },
  {
    id: "express-empty",
    label: "Express, POST: of an empty handler that reads no body",
    sides: [post, { server: "express-empty" }],
  },
  { id: "http-post", label: "`node:http`, POST: of a server that does nothing but `JSON.parse`", sides: [http, json] },
  {
    id: "http-get",
    label: "`node:http`, GET: of POST",
    sides: [withOptions(http, { method: "GET" }), http],
  },
];

/** What an option, or a way to use the package, costs. */
export const COSTS = [
  {
    id: "all-options",
    label: "Express, every option (who may call, profile, schema, time zone, decrypt, country): of none",
    sides: [withOptions(post, { isForAll: true }), post],
  },
  {
    id: "all-options-http",
    label: "the same on `node:http`",
    sides: [withOptions(http, { isForAll: true }), http],
  },
  {
    id: "remembered",
    label: "Express, duplicates remembered: of `deduplicate: false`",
    sides: [post, withOptions(post, { deduplicate: false })],
  },
  {
    id: "remembered-http",
    label: "the same on `node:http`",
    sides: [http, withOptions(http, { deduplicate: false })],
  },
  {
    id: "country",
    label: "Express, `defaultCountry`, numbers that it has not met lately: of numbers with a country code",
    sides: [withOptions(post, { defaultCountry: "IN" }), post],
  },
  {
    id: "pasted",
    label: "Express, a text that is not escaped: of one that is",
    sides: [withOptions(post, { text: 'UNSUBSCRIBE the "offer" text!' }), post],
  },
  {
    id: "async-handlers",
    label: "`node:http`, handlers that return promises: of handlers that return nothing",
    sides: [withOptions(http, { isAsync: true }), http],
  },
  {
    id: "keywords-1000",
    label: "`node:http`, 1,000 keywords: of one",
    sides: [withOptions(oneKeyword, { keywords: 1_000 }), oneKeyword],
  },
  {
    id: "keywords-100000",
    label: "`node:http`, 100,000 keywords: of one",
    sides: [withOptions(oneKeyword, { keywords: 100_000 }), oneKeyword],
  },
  {
    id: "channels",
    label: "`node:http`, with a subscriber of the diagnostics channels: of none",
    sides: [withOptions(http, { subscriber: "counting" }), http],
  },
  {
    id: "opentelemetry",
    label: "`node:http`, with the spans of docs/opentelemetry.mjs: of none",
    sides: [withOptions(http, { subscriber: "opentelemetry" }), http],
  },
];

/** Each gets its own provider's payload, of about the same size, signed where the provider signs. */
export const PEERS = [
  {
    id: "octokit",
    peer: "@octokit/webhooks",
    label: "`node:http`: of @octokit/webhooks",
    sides: [http, { server: "octokit" }],
  },
  {
    id: "slack",
    peer: "@slack/bolt",
    label: "`node:http`: of @slack/bolt, its HTTP receiver",
    sides: [http, { server: "slack" }],
  },
  { id: "fastify", peer: "fastify", label: "`node:http`: of Fastify, by hand", sides: [http, { server: "fastify" }] },
  {
    id: "fastify-form",
    peer: "@fastify/formbody",
    label: "`node:http`, a form: of Fastify with @fastify/formbody, by hand",
    sides: [withOptions(http, { isForm: true }), { server: "fastify", options: { isForm: true } }],
  },
  {
    id: "hono",
    peer: "@hono/node-server",
    label: "`node:http`: of Hono on @hono/node-server, by hand",
    sides: [http, { server: "hono" }],
  },
  {
    id: "hono-fetch",
    peer: "hono",
    label: "in Hono, `sms.fetch`: of Hono by hand",
    sides: [{ server: "package-hono" }, { server: "hono" }],
  },
  { id: "grammy", peer: "grammy", label: "Express: of grammY in Express", sides: [post, { server: "grammy" }] },
  {
    id: "line",
    peer: "@line/bot-sdk",
    label: "Express: of @line/bot-sdk in Express",
    sides: [post, { server: "line" }],
  },
  {
    id: "twilio",
    peer: "twilio",
    label: "Express: of twilio's webhook in Express",
    sides: [post, { server: "twilio" }],
  },
];
