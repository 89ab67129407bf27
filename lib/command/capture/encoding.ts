// Whether values are encoded once more or encrypted, by all texts that came.

import type { Decoding } from "./decoding.js";
import type { Evidence } from "./evidence.js";
import { notProven, proven, shownName, toDo, type Finding } from "./finding.js";

const ABOUT = "encoding";

/** The encoding that all texts have in common; `undefined` if they do not agree, or have none. */
export function commonDecoding(texts: readonly Evidence[]): Decoding | undefined {
  const names = new Set(texts.map(({ decoding }) => decoding?.name));
  return names.size === 1 ? texts.at(-1)?.decoding : undefined;
}

/** What the texts say of their encoding; `undefined` if none is encoded. */
export function encodingOf(
  texts: readonly Evidence[],
): { readonly isContradicted: boolean; readonly findings: readonly Finding[] } | undefined {
  const kinds = new Set(texts.map(({ decoding }) => decoding?.name ?? "as plain text"));
  if (texts.every(({ decoding }) => decoding === undefined)) return undefined;
  const decoding = commonDecoding(texts);
  const last = texts.at(-1);
  if (decoding === undefined || last === undefined)
    return {
      isContradicted: true,
      findings: [toDo(ABOUT, `Texts come in several ways, and no decrypt reads all: ${[...kinds].join("; ")}.`)],
    };
  if (decoding.isCipher) return ofCipher(last, decoding);
  // A text of ASCII may come plain although one with other letters does not.
  const isForAll = texts.some(({ isLines }) => isLines) && texts.some(({ isLines }) => !isLines);
  return {
    isContradicted: false,
    findings: [
      isForAll
        ? proven(ABOUT, `The text is ${decoding.name}: decrypt reads it.`)
        : notProven(
            ABOUT,
            `The text is ${decoding.name}: decrypt reads it. Whether every text is: send the other one.`,
          ),
    ],
  };
}

/** What Base64 has beside letters and digits, as a query or a template would encode it. */
const ENCODED_SIGNS = /%(?:2b|2f|3d)/i;
const SIGNS = /[+/=_-]/;

function ofCipher({ shape, encoded }: Evidence, decoding: Decoding): ReturnType<typeof encodingOf> {
  const valueOf = (name: string): string => shape.parsed?.get(name) ?? shape.raw?.get(name) ?? "";
  const values = [...encoded].map(valueOf).filter((value) => value !== "");
  const empty = shape.names.filter((name) => valueOf(name) === "").map(shownName);
  const isEncodedOnceMore = shape.names.some((name) => ENCODED_SIGNS.test(valueOf(name)));
  const isBase64 = values.some((value) => /[^0-9a-f]/i.test(value));
  return {
    isContradicted: isEncodedOnceMore,
    findings: [
      proven(ABOUT, `The text is ${decoding.name}: decrypt reads it.`),
      ...(isEncodedOnceMore
        ? [toDo(ABOUT, "Encrypted values come percent-encoded once more, and decrypt does not read them.")]
        : isBase64 && !values.some((value) => SIGNS.test(value))
          ? [notProven(ABOUT, "No value has a +, a / or a =: how they come is not seen. Send the text again.")]
          : []),
      ...(empty.length === 0
        ? []
        : [notProven(ABOUT, `${empty.join(", ")}: came empty, so whether it is encrypted is not seen.`)]),
    ],
  };
}
