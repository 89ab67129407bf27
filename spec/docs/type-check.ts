// Compiles blocks of code together, each as a module of its own. A block whose first line is a comment with the name of a
// file is that file: other blocks of its page import it by that name.

import { dirname, join, sep } from "node:path";
import ts from "typescript";

import { ROOT, type Block } from "./pages";
import { PACKAGES, STAND_INS } from "./stand-ins";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2023.d.ts", "lib.es2024.string.d.ts", "lib.esnext.disposable.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
  resolveJsonModule: true,
  types: ["node"],
};

/** What JavaScript cannot say: the types of parameters, of empty arrays, and of what is unknown. */
const UNTYPED = new Set([7005, 7006, 7016, 7018, 7019, 7031, 7034, 7053, 18046]);

/** What is imported is not there: a package that is not installed here, or a file that a bundler finds, or another page has. */
const MISSING = new Set([2307, 2835]);

const FILE_NAME = /^\/\/ ([\w./-]+\.[cm]?[jt]s)\b/;

/** The folder of a page's blocks. It is not there: what they import and it does not have is taken from the page's folder. */
const folderOf = (page: string): string => join(ROOT, dirname(page), `.blocks-of-${page.replaceAll(/\W/g, "-")}`);
const besidePage = (file: string): string => file.replace(/\.blocks-of-[\w-]+[\\/](?!node_modules)/, "");

/** @returns what does not compile, each with its place */
export function typeCheck(blocks: readonly Block[]): string[] {
  const files = new Map<string, { readonly code: string; readonly block?: Block }>();
  files.set(join(ROOT, ".stand-ins.d.mts"), { code: STAND_INS });
  files.set(join(ROOT, ".packages.d.ts"), { code: PACKAGES.map((name) => `declare module "${name}";`).join("\n") });
  blocks.forEach((block, index) => {
    const folder = folderOf(block.page);
    files.set(join(folder, "package.json"), { code: '{ "type": "module" }' });
    const named = join(folder, FILE_NAME.exec(block.code)?.[1] ?? "");
    const isTaken = named === join(folder, "") || files.has(named);
    const file = isTaken ? join(folder, `block-${index}.${block.language === "js" ? "mjs" : "mts"}`) : named;
    files.set(file, { code: `${block.code}\nexport {};\n`, block });
  });
  const program = programOf(files);
  return ts.getPreEmitDiagnostics(program).flatMap((found) => {
    const { file, start = 0, code, messageText } = found;
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    if (file === undefined) return [text];
    const block = files.get(file.fileName.split("/").join(sep))?.block;
    if (block?.language === "js" && UNTYPED.has(code)) return [];
    if (block?.notRun !== undefined && MISSING.has(code)) return [];
    const line = file.getLineAndCharacterOfPosition(start).line;
    return [`${block === undefined ? file.fileName : `${block.page}:${block.line + line}`}: ${text} (${code})`];
  });
}

function programOf(files: ReadonlyMap<string, { readonly code: string }>): ts.Program {
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, getSourceFile, readFile } = host;
  const codeOf = (file: string): string | undefined => files.get(file.split("/").join(sep))?.code;
  host.fileExists = (file) => codeOf(file) !== undefined || fileExists(besidePage(file));
  host.readFile = (file) => codeOf(file) ?? readFile(besidePage(file));
  host.getSourceFile = (file, language, ...rest) => {
    const code = codeOf(file);
    return code === undefined
      ? getSourceFile(besidePage(file), language, ...rest)
      : ts.createSourceFile(file, code, language);
  };
  // The folders of the blocks are not on the disk.
  host.directoryExists = () => true;
  return ts.createProgram(
    [...files.keys()].filter((file) => !file.endsWith(".json")),
    OPTIONS,
    host,
  );
}
