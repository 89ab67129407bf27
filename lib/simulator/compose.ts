// Composes the requests that the provider would send for what the page asks, with what may go wrong on the way.

import type { CallbackProfile, RenderedCallback } from "../callback/template/profile.js";
import type { RouterState } from "../pipeline/router-state.js";
import { ownQueryOf, renderText } from "../provider/render-text.js";
import type { SimulatorSettings } from "./simulator-options.js";
import type { Draft } from "./wire.js";

/** A request, ready to be sent. */
export interface ComposedRequest {
  /** The text that it brings. */
  readonly text: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** In their order, without those that depend on the connection. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: string;
  /** After how many bytes of the body the connection is cut. */
  readonly cutAt?: number;
  /** The variables of the query that are no fields: they may be secrets. */
  readonly ownQuery: string;
}

export interface Composed {
  readonly requests: readonly ComposedRequest[];
  /** Whether all are sent at once, each on a connection of its own; otherwise one after the other. */
  readonly atOnce: boolean;
  readonly notes: readonly string[];
  /** Why the misbehaviour changes nothing. */
  readonly ineffective?: string;
}

export type ComposeSettings = Pick<SimulatorSettings, "target" | "headers"> &
  Pick<RouterState, "timeZone"> & {
    readonly profile: CallbackProfile | undefined;
  };

const MINUTE_MS = 60_000;
const WRONG = "wrong";

/** @throws TypeError if the profile has no variable for what is asked */
export function compose(draft: Draft, settings: ComposeSettings): Composed {
  const { misbehaviour, id } = draft;
  const one = (overrides: Overrides = {}): ComposedRequest => composeOne(draft, settings, overrides);
  const notes = textNotes(draft, settings);
  switch (misbehaviour) {
    case "none":
      return { requests: [one()], atOnce: false, notes };
    case "twice":
      return { requests: [one(), one()], atOnce: true, notes: [...notes, "Both are sent at once."] };
    case "overtaking": {
      const stop = one({ text: "STOP", id: `${id}-stop`, ageMs: MINUTE_MS });
      const start = one({ text: "START", id: `${id}-start` });
      const note = "STOP was typed a minute before START, and is delivered after it: only the timestamp shows that.";
      return { requests: [start, stop], atOnce: false, notes: [note] };
    }
    case "wrong-secret": {
      const request = one();
      const { ownQuery } = request;
      const secrets = request.headers.filter(([name]) => isSecret(name));
      const wrong = {
        ...request,
        path: ownQuery === "" ? request.path : request.path.replace(ownQuery, ownQuery.replace(/=[^&]*/g, `=${WRONG}`)),
        ownQuery: "",
        headers: request.headers.map(([name, value]) => [name, isSecret(name) ? WRONG : value] as const),
      };
      const isSet = secrets.length > 0 || ownQuery !== "";
      if (!isSet) {
        const ineffective = "No secret is set, so no wrong one is checked: add a header in the settings.";
        return { requests: [request], atOnce: false, notes, ineffective };
      }
      return { requests: [wrong], atOnce: false, notes: [...notes, `The secret is replaced by "${WRONG}".`] };
    }
    case "cut-body": {
      const request = one();
      if (request.method === "GET") {
        const ineffective = "A GET callback has no body that could be cut: it is sent whole.";
        return { requests: [request], atOnce: false, notes, ineffective };
      }
      const cutAt = Math.floor(Buffer.byteLength(request.body) / 2);
      const note = "The connection ends after half of the body.";
      return { requests: [{ ...request, cutAt }], atOnce: false, notes: [...notes, note] };
    }
    case "delivery-report":
      return { requests: [one({ status: "DELIVERED" })], atOnce: false, notes };
  }
}

/** Values of headers are hidden, except the content type. */
export function isSecret(header: string): boolean {
  return header.toLowerCase() !== "content-type";
}

function textNotes({ method }: Draft, { profile }: ComposeSettings): string[] {
  const members = profile?.template.members;
  const hasText = members === undefined ? method === "POST" : members.some(({ name }) => name === "message");
  return hasText ? [] : ["By GET, the provider sends the words of the text and the keyword, but not the text."];
}

interface Overrides {
  readonly text?: string;
  readonly id?: string;
  /** How long before now the text was typed, in milliseconds. */
  readonly ageMs?: number;
  readonly status?: string;
}

function composeOne(draft: Draft, settings: ComposeSettings, overrides: Overrides): ComposedRequest {
  const { source, recipient, keyword, header, escaped } = draft;
  const { target, headers, profile, timeZone } = settings;
  const { text = draft.text, id = draft.id, ageMs = 0, status } = overrides;
  const rendered = renderText(
    {
      text,
      source,
      recipient,
      ...(keyword === "" ? {} : { keyword }),
      others: {
        id,
        kid: id,
        status_trace: "SENT",
        description: "Message has been sent",
        timestamp: timestamp(new Date(Date.now() - ageMs), timeZone),
      },
      ...(status === undefined ? {} : { set: { status } }),
    },
    { profile, method: profile?.method ?? draft.method, escaping: escaped ? "json" : "none" },
  );
  const ownQuery = [target.query, profile === undefined ? "" : ownQueryOf(profile)]
    .filter((query) => query !== "")
    .join("&");
  const query = [target.query, queryOf(rendered)].filter((part) => part !== "").join("&");
  return {
    text,
    method: rendered.method,
    path: query === "" ? target.path : `${target.path}?${query}`,
    headers: merged([...Object.entries(rendered.headers), ...Object.entries(headers), [header.name, header.value]]),
    body: rendered.body ?? "",
    ownQuery,
  };
}

function queryOf({ url }: Pick<RenderedCallback, "url">): string {
  return /\?(.*)$/s.exec(url)?.[1] ?? "";
}

/** Of headers with one name, the last one counts, at the place of the first. */
function merged(headers: ReadonlyArray<readonly [string, string]>): Array<readonly [string, string]> {
  const byName = new Map<string, readonly [string, string]>();
  for (const header of headers) if (header[0] !== "") byName.set(header[0].toLowerCase(), header);
  return [...byName.values()];
}

/** As the provider writes it. Swedish is written so, too. */
function timestamp(instant: Date, timeZone: string | undefined): string {
  return instant.toLocaleString("sv-SE", { timeZone });
}
