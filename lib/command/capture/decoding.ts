// How values can be encoded once more, or encrypted: the function that reads them, and the same as code to paste.

/** A way to read values that are encoded once more. */
export interface Decoding {
  /** `percent-encoded`, or the cipher and its layout. */
  readonly name: string;
  /** Returns the text of a value. Throws, or returns the value itself, if it is not encoded so. */
  readonly open: (value: string) => string;
  /** The lines that declare `open` in JavaScript. */
  readonly code: readonly string[];
  /** Whether what follows in the code needs an import from `node:crypto`. */
  readonly isCipher: boolean;
}

const HEXADECIMAL = /^(?:[0-9a-f]{2})+$/i;
const HEXADECIMAL_UTF16 = /^(?:[0-9a-f]{4})+$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+$|^(?:[A-Za-z0-9+/]{4})*[A-Za-z0-9+/]{2,3}={0,2}$/;

/** Encodings that need no key. Whatever is not encoded so stays as it is. */
export const ENCODINGS: readonly Decoding[] = [
  {
    name: "percent-encoded once more",
    isCipher: false,
    open: (value) => {
      try {
        return decodeURIComponent(value);
      } catch {
        return value;
      }
    },
    code: [
      "const open = (value) => {",
      "  try {",
      "    return decodeURIComponent(value);",
      "  } catch {",
      '    return value; // such as "100% sure"',
      "  }",
      "};",
    ],
  },
  {
    name: "form-encoded once more",
    isCipher: false,
    open: (value) => {
      try {
        return decodeURIComponent(value.replaceAll("+", " "));
      } catch {
        return value;
      }
    },
    code: [
      "const open = (value) => {",
      "  try {",
      '    return decodeURIComponent(value.replaceAll("+", " "));',
      "  } catch {",
      '    return value; // such as "100% sure"',
      "  }",
      "};",
    ],
  },
  {
    name: "in hexadecimal, as UTF-16",
    isCipher: false,
    open: (value) => (HEXADECIMAL_UTF16.test(value) ? Buffer.from(value, "hex").swap16().toString("utf16le") : value),
    code: [
      "const open = (value) =>",
      `  ${HEXADECIMAL_UTF16}.test(value) ? Buffer.from(value, "hex").swap16().toString("utf16le") : value;`,
    ],
  },
  {
    name: "in hexadecimal, as UTF-8",
    isCipher: false,
    open: (value) => (HEXADECIMAL.test(value) ? Buffer.from(value, "hex").toString() : value),
    code: [`const open = (value) => (${HEXADECIMAL}.test(value) ? Buffer.from(value, "hex").toString() : value);`],
  },
  {
    name: "in Base64",
    isCipher: false,
    open: (value) => (BASE64.test(value) ? Buffer.from(value, "base64").toString() : value),
    code: [
      "const open = (value) =>",
      `  ${BASE64}.test(value)`,
      '    ? Buffer.from(value, "base64").toString()',
      "    : value;",
    ],
  },
];
