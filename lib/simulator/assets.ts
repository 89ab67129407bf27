// The files of the page, which esbuild has put beside this one.

import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ASSETS = {
  "page.html": "text/html; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;

type Asset = keyof typeof ASSETS;

export function readAssets(): Readonly<Record<Asset, Buffer>> {
  const read = (name: Asset): Buffer => readFileSync(join(__dirname, "page", name));
  return {
    "page.html": read("page.html"),
    "page.js": read("page.js"),
    "page.css": read("page.css"),
    "icon.svg": read("icon.svg"),
  };
}
