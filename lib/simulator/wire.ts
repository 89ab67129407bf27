// What the page and its server send each other. Types only, of plain data: the page is compiled without Node.

/** What a provider or a network may do wrong. */
export type Misbehaviour = "none" | "twice" | "overtaking" | "wrong-secret" | "cut-body" | "delivery-report";

/** What the page asks to send. */
export interface Draft {
  readonly text: string;
  readonly source: string;
  readonly recipient: string;
  /** The keyword configured in the console; empty for none. */
  readonly keyword: string;
  readonly method: "GET" | "POST";
  /** Whether the provider escapes the text in the body. */
  readonly escaped: boolean;
  readonly misbehaviour: Misbehaviour;
  /** A header to add, for authentication. Without a name, none is added. */
  readonly header: { readonly name: string; readonly value: string };
  /** The `id` of the callback. */
  readonly id: string;
}

/** A request, to look at. Values of headers are hidden, except the content type. */
export interface ShownRequest {
  readonly raw: string;
  readonly curl: string;
}

export interface Preview {
  readonly requests: readonly ShownRequest[];
  /** What cannot be seen in the requests. */
  readonly notes: readonly string[];
  /** Why the misbehaviour changes nothing: the answer is that to a proper request. */
  readonly ineffective?: string;
}

/** The answer to one request, or why there was none. */
export type Answered =
  | { readonly status: number; readonly reason: string; readonly body: string; readonly durationMs: number }
  | { readonly failed: string; readonly durationMs: number };

export interface Sent extends Preview {
  readonly answers: readonly Answered[];
}

/** What the server says first on every event stream. */
export interface Hello {
  /** The path or the URL that is called, without its query. */
  readonly target: string;
  /** Whether the router is in this process, so that its events can be shown. */
  readonly hasRouter: boolean;
  /** Those that the router accepts. */
  readonly methods: ReadonlyArray<"GET" | "POST">;
  readonly escaped: boolean;
  /** The names of the headers that are sent with every request. */
  readonly headers: readonly string[];
}

/** A part of a text, by UTF-16 code units. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A callback that was answered. */
export interface CallbackEvent {
  /** The instant of the answer, ISO 8601 in UTC. */
  readonly at: string;
  readonly method: "GET" | "POST";
  /** Those of a receipt; `unauthorized`; or `answered` and `no answer`, if the router is in another process. */
  readonly outcome: string;
  /** Without one, there was no answer. */
  readonly status?: number;
  readonly durationMs: number;
  /** What the answer explains, or why there was none. */
  readonly detail?: string;
  /** The text that the page sent, if the router is in another process. */
  readonly sent?: string;
  /** The body of the answer. */
  readonly body: string;
  readonly message?: {
    readonly key: string;
    readonly source: string;
    readonly recipient: string;
    /** If a GET callback has no text: its words, one after the other. */
    readonly text: string;
    /** Whether the callback has no text, so that handlers get none. */
    readonly hasWordsOnly: boolean;
    readonly keyword?: string;
    readonly repaired: boolean;
    readonly damaged: boolean;
    readonly fields: Readonly<Record<string, string>>;
  };
  readonly problem?: {
    readonly code: string;
    readonly issues: ReadonlyArray<{ readonly field: string; readonly message: string }>;
    /** What was sent, as text. */
    readonly raw: string;
    /** Where in `raw` the problem is, if it is visible there. */
    readonly places: readonly Place[];
  };
}

/** A handler that has ended, or has reached its time limit. */
export interface HandlerEvent {
  /** That of the message. */
  readonly key: string;
  readonly event: string;
  readonly keyword?: string;
  /** Where the keyword was found. */
  readonly by?: string;
  readonly result: "ok" | "error" | "timeout";
  /** What was thrown. */
  readonly error?: string;
  readonly durationMs: number;
  readonly attempt: number;
  readonly final: boolean;
}

/** What failed apart from any handler: the inbox. */
export interface FailureEvent {
  readonly at: string;
  readonly message: string;
}

/** The messages in the inbox; `undefined` if the inbox is out of reach. */
export interface InboxEvent {
  readonly counts?: Readonly<Record<"waiting" | "running" | "delayed" | "dead", number>>;
}

/** Events that the server no longer has. */
interface GoneEvent {
  readonly count: number;
}

/** The events of the stream, each with its data. */
export interface StreamEvents {
  readonly hello: Hello;
  readonly callback: CallbackEvent;
  readonly handler: HandlerEvent;
  readonly failure: FailureEvent;
  readonly inbox: InboxEvent;
  readonly gone: GoneEvent;
}
