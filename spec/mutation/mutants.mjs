// Lists all mutants of a built file. Each is one small change, so that its line can be compared with the original one.

import { parseSync, traverse } from "@babel/core";

const OPERATORS = new Map(
  "< <= > >= === !== && || + - * / += -= ++ --"
    .split(" ")
    .flatMap((operator, at, all) => [[operator, all[at % 2 === 0 ? at + 1 : at - 1]]]),
);
const METHODS = {
  some: "every",
  every: "some",
  min: "max",
  max: "min",
  startsWith: "endsWith",
  endsWith: "startsWith",
};

/** Parents of a string that is returned or compared, and so is not the text of an error or a log line. */
const COMPARED_IN =
  /^(?:Return|Binary|SwitchCase|Array|Conditional|Logical|ObjectProperty|AssignmentPattern|ArrowFunction)/;

/** Statements that `tsc` adds. */
const ADDED_BY_TSC = /^(?:Object\.defineProperty\(exports|var __|"use strict")/;

/** SQL, or Lua for Redis. */
const EMBEDDED = /\b(?:SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|WHERE|redis\.call)\b/;
const TERM = String.raw`(?:[^()]|\((?:[^()]|\([^()]*\))*\))+?(?=\s+(?:AND|OR|ORDER|LIMIT|THEN|UNION)\b|[);"\`])`;
const EMBEDDED_CHANGES = [
  // The term keeps its parameter: without it, SQL would throw, which any spec notices.
  [new RegExp(String.raw`(?<=\b(?:WHERE|AND)\s+)${TERM}`, "g"), (term) => `(TRUE OR ${term})`],
  [/(?<=\b(?:WHERE|AND|WHEN)\s+[\w.]+ )=(?= )/g, () => "<>"],
  [/<>|~=/g, (operator) => (operator === "<>" ? "=" : "==")],
  [/==/g, () => "~="],
  [/<=|>=/g, ([operator]) => operator],
  [/(?<!<)[<>](?![<>=])/g, (operator) => `${operator}=`],
  [/\b(?:NOT (?=EXISTS|IN\b|NULL\b(?!,))|OR IGNORE )/g, () => ""],
  [/(?<=\bORDER BY \w+)(?=\W)/g, () => " DESC"],
  [/(?<=\bORDER BY \w+), \w+/g, () => ""],
  [/\b(?:MIN|MAX)(?=\()/gi, (name) => (name.toLowerCase() === "min" ? "max" : "min")],
  [/[+-](?= 1\b)/g, (sign) => (sign === "+" ? "-" : "+")],
];

/**
 * @param code - the code of a built file
 * @returns for each mutant: the change (`start`, `end`, `text`), and the offset that must run (`runsAt`); also the
 * number of its `line`, the enclosing names (`where`), and the text of the line `before` and `after`
 */
export function mutantsOf(code) {
  const mutants = [];
  traverse(parseSync(code, { configFile: false, babelrc: false, sourceType: "script" }), {
    enter(path) {
      if (path.parentPath?.isProgram() && ADDED_BY_TSC.test(code.slice(path.node.start))) return path.skip();
      for (const change of changesOf(path, code))
        mutants.push({ ...change, runsAt: path.node.start, where: namesOf(path) });
    },
  });
  return mutants.map((mutant) => ({ ...mutant, ...linesOf(mutant, code) }));
}

export function mutated(code, { start, end, text }) {
  return code.slice(0, start) + text + code.slice(end);
}

function* changesOf(path, code) {
  const { node, parent, key } = path;
  const { start, end } = node;
  const source = code.slice(start, end);
  const change = (text) => ({ start, end, text });
  const operatorAt = () => code.indexOf(node.operator, node.left.end);
  const swapped = (at) => ({ start: at, end: at + node.operator.length, text: OPERATORS.get(node.operator) });

  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression":
      if (node.operator === "??") yield change(code.slice(start, operatorAt()).trimEnd());
      else if (node.operator === "??=") yield { start: operatorAt(), end: operatorAt() + 3, text: "=" };
      else if (OPERATORS.has(node.operator) && !isText(node)) yield swapped(operatorAt());
      break;
    case "UpdateExpression":
      yield swapped(node.prefix ? start : end - 2);
      break;
    case "UnaryExpression":
      if (node.operator === "!") yield change(code.slice(start + 1, end));
      break;
    case "IfStatement":
    case "ConditionalExpression": {
      const { test } = node;
      // The change of their operator negates these.
      if (!["!", "===", "!=="].includes(test.operator))
        yield { start: test.start, end: test.end, text: `!(${code.slice(test.start, test.end)})` };
      break;
    }
    case "NumericLiteral":
      // `(0, f)()` and `void 0` are idioms. Large numbers are doubled: one millisecond more would have no effect.
      if (parent.type !== "SequenceExpression" && parent.operator !== "void")
        yield change(`${node.value < 1000 ? node.value + 1 : node.value * 2}`);
      break;
    case "BooleanLiteral":
      yield change(`${!node.value}`);
      break;
    case "StringLiteral":
      if (COMPARED_IN.test(parent.type) && key !== "key" && !isText(parent) && !EMBEDDED.test(source))
        yield change(node.value === "" ? '"mutant"' : '""');
      break;
    case "ArrayExpression":
      if (node.elements.length > 0) yield change("[]");
      break;
    case "AwaitExpression":
      yield change(code.slice(start + "await ".length, end));
      break;
    case "MemberExpression":
      if (Object.hasOwn(METHODS, node.property.name) && parent.type === "CallExpression" && key === "callee")
        yield { start: node.property.start, end, text: METHODS[node.property.name] };
      break;
    case "ExpressionStatement":
      if (parent.type !== "Program" && node.expression.callee?.type !== "Super") yield change(";");
      break;
    case "ReturnStatement":
    case "ThrowStatement":
      // Only an early return or throw: not the last statement of its function.
      if (!path.parentPath.parentPath.isFunction()) yield change(";");
      break;
    case "ContinueStatement":
    case "BreakStatement":
      yield change(";");
  }
  if (["StringLiteral", "TemplateLiteral"].includes(node.type) && EMBEDDED.test(source))
    for (const [pattern, textOf] of EMBEDDED_CHANGES)
      for (const { 0: found, index } of source.matchAll(pattern))
        yield { start: start + index, end: start + index + found.length, text: textOf(found) };
}

/** Whether a sum is certainly a string concatenation, for which `-` makes no sense. */
function isText({ type, operator, left, right }) {
  if (type === "StringLiteral" || type === "TemplateLiteral") return true;
  return (operator === "+" || operator === "+=") && (isText(left) || isText(right));
}

/** The names that enclose a node: `Ledger.store`. */
function namesOf(path) {
  const names = [];
  for (let at = path.parentPath; at; at = at.parentPath) {
    const name = at.node.id?.name ?? at.node.key?.name ?? at.node.key?.id?.name;
    if (name !== undefined) names.unshift(name);
  }
  return names.join(".");
}

function linesOf(mutant, code) {
  const line = code.slice(0, mutant.start).split("\n").length;
  const lineOf = (text) => text.split("\n")[line - 1].trim();
  return { line, before: lineOf(code), after: lineOf(mutated(code, mutant)) };
}
