// How a callback is sent: its method and content type, its fields and its parts.

import { headerOf } from "../../provider/as-callback.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import type { Evidence } from "./evidence.js";
import { notProven, proven, shownName, toDo, type Finding } from "./finding.js";
import { variableFor } from "./literal.js";
import type { Members } from "./members.js";

/** A media type that can be printed: a caller may send anything. */
const MEDIA_TYPE = /^[\w.+*-]+\/[\w.+*-]+/;

/** How the callback is sent: `POST application/json`. */
export function formName({ method, headers }: SavedCallback): string {
  const sent = headerOf(headers, "content-type");
  if (method === "GET") return method;
  if (sent === undefined) return `${method} without a content type`;
  return `${method} ${MEDIA_TYPE.exec(sent)?.[0].slice(0, 80) ?? "with another content type"}`;
}

export function formOf({ callback, shape }: Evidence): Finding {
  const body = { json: ", JSON", text: ", JSON that breaks on the text", form: ", a form", query: "" }[shape.kind];
  return proven("method", `${formName(callback)}${body}`);
}

/** The fields in order, and what of them is not on the provider's page. */
export function fieldsOf({ names, statics, seen, undescribable }: Members): Finding[] {
  const own = Object.keys(statics);
  const list = own.map(shownName).join(", ");
  return [
    proven("fields", `In this order: ${names.map(shownName).join(", ")}`),
    ...(names.includes("id") ? [] : [toDo("id", "It does not come: without it, no duplicate is recognized.")]),
    ...(own.length === 0
      ? []
      : seen > 1
        ? [proven("static fields", `${list}: the same in ${seen} callbacks`)]
        : [notProven("static fields", `That ${list} always has this value: it came once. Send the text again.`)]),
    ...own
      .map((name) => [name, variableFor(name, statics[name] ?? "")] as const)
      .filter(([, variable]) => variable !== undefined)
      .map(([name, variable]) =>
        toDo("static fields", `${shownName(name)} is not printed: set ${variable ?? ""} to the value in the console.`),
      ),
    ...undescribable.map((why) =>
      toDo("template", `callbackProfile cannot describe it: ${why}. So only valid JSON can be read.`),
    ),
  ];
}

export function partsOf({ names, parts }: Members): Finding[] {
  const hasLine = names.includes("parts[n]");
  if (parts === 0 && !hasLine) return [proven("parts", "None come. message.parts has the words of the text.")];
  const which = [...(parts === 0 ? [] : [parts === 1 ? "parts[1]" : `parts[1] to parts[${parts}]`])];
  return [proven("parts", [...which, ...(hasLine ? ["the line parts[n]"] : [])].join(", and "))];
}
