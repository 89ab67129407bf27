// The event stream of the server. The browser connects again by itself, and says which event was the last.

import type { StreamEvents } from "../wire.js";

export type StreamEvent = {
  readonly [Name in keyof StreamEvents]: { readonly name: Name; readonly data: StreamEvents[Name] };
}[keyof StreamEvents];

const NAMES = ["hello", "callback", "handler", "failure", "inbox", "gone"] as const;

export function openStream(
  onEvent: (event: StreamEvent) => void,
  onState: (state: "live" | "connecting" | "closed") => void,
): void {
  const source = new EventSource("events");
  source.onopen = () => onState("live");
  source.onerror = () => onState(source.readyState === EventSource.CLOSED ? "closed" : "connecting");
  for (const name of NAMES) {
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      // The server of the page is the only one that writes it, in the shape of wire.ts.
      onEvent({ name, data: JSON.parse(data) as unknown } as StreamEvent);
    });
  }
}
