// What the types of the package declare: the members of an interface, with their types and comments.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const LIB = join(import.meta.dirname, "..", "lib");

/** The members of interfaces in a file of lib/ that have a comment, in their order. */
export function declared(file, ...interfaces) {
  const source = ts.createSourceFile(file, readFileSync(join(LIB, file), "utf8"), ts.ScriptTarget.Latest, true);
  return source.statements
    .filter((one) => ts.isInterfaceDeclaration(one) && interfaces.includes(one.name.text))
    .flatMap(({ members }) => [...members])
    .flatMap((member) => {
      const [comment] = ts.getJSDocCommentsAndTags(member);
      if (comment === undefined || member.type === undefined) return [];
      const text = (ts.getTextOfJSDocComment(comment.comment) ?? "").replaceAll(/\s+/g, " ");
      return [{ name: member.name.getText(), type: shortened(member.type.getText()), text, ...split(text) }];
    });
}

/** A type as a table shows it. */
const shortened = (type) =>
  type
    .replaceAll(/\/\*\*[^]*?\*\//g, "")
    .replaceAll(/\breadonly\s+/g, "")
    .replaceAll(/\s*\|\s*undefined\b/g, "")
    .replaceAll(/\bReadonlyArray</g, "Array<")
    .replaceAll(/\bReadonly<(Record<.*?>)>/g, "$1")
    .replaceAll(/\s+/g, " ")
    .replace(/^\| /, "")
    .replace(/^\((\(.*)\)$/, "$1")
    .replace(/; }$/, " }");

/** The first sentence of a comment, and the default that it states. */
function split(text) {
  const [sentence = ""] = /^.*?\.(?= |$)/.exec(text) ?? [text];
  const [, value] = /\bDefault: (`[^`]*`|[\w,]*\w)/.exec(text) ?? [];
  return { sentence, default: value };
}
