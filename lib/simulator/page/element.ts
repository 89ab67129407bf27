// Makes and finds elements. Whatever was typed becomes text, never markup.

type Child = Node | string;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A text in a direction of its own, so that its right-to-left marks end where it ends. */
export function isolated(text: string, className = ""): HTMLElement {
  return element("bdi", className === "" ? {} : { class: className }, text);
}

/** An element of page.html. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new TypeError(`page.html has no ${kind.name} with the id ${id}`);
}

export function milliseconds(duration: number): string {
  if (duration < 0.05) return "< 0.1 ms";
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`;
}
