// The text of the pages of docs/api/: what typedoc writes, shorter, with a list of contents and links that GitHub follows.

const HEAD = "<!-- Made by `npm run docs` from the comments in lib/: change it there. -->";

/** A page, without headings and lines that repeat the line above them. */
function compact(text) {
  return text
    .replaceAll(/<a id="[^"]*"><\/a> /g, "")
    .replaceAll(/^#+ Returns\n\n`(?:void|this)`\n/gm, "")
    .replaceAll(/^#+ (?:Overrides|Implementation of|Inherited from|Implements|Extended by)\n\n.*\n/gm, "")
    .replaceAll(/^#+ Extends\n\n(?:- .*\n)+/gm, (all) => (all.includes("](") ? all : ""))
    .replaceAll(/^> `const` .*\\\{.*\n|^#+ Type Declaration\n(?=\n#)|^\*\*\*$/gm, "")
    .replaceAll(/(?<=^\|.*[.:]) - (?=[`A-Z])/gm, "<br />- ")
    .replaceAll("`Readonly`\\<`Record`\\<`string`, `string`\\>\\>", "`Record<string, string>`")
    .replaceAll(/^\| :------ .*$/gm, (rule) => rule.replaceAll(":------", "---"))
    .replaceAll(/^> .{120,}$/gm, (line) => line.replaceAll(" \\| ", " \\|\n> "))
    .replaceAll(/\n{3,}/g, "\n\n");
}

/** The anchors of what a page describes, by GitHub's rules for headings. */
function anchorsOf(text) {
  const counts = new Map();
  const anchors = new Map();
  for (const [, level, heading] of text.matchAll(/^(#+) (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-");
    const before = counts.get(slug) ?? 0;
    counts.set(slug, before + 1);
    const name = heading.replaceAll(/\\|\(\)/g, "");
    if (level === "##") anchors.set(name, before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/**
 * @param made - the pages as typedoc has made them, by their names
 * @param modules - what each page is about, and its name
 */
export function pagesOf(made, modules) {
  const texts = modules.map(([, page]) => [page, compact(made[page])]);
  const anchors = Object.fromEntries(texts.map(([page, text]) => [page, anchorsOf(text)]));
  const pages = texts.map(([page, text]) => {
    // typedoc counts headings that are no longer there.
    const linked = text.replaceAll(/\[`(\w+)`\]\(([\w.-]*)#[\w-]+\)/g, (_all, name, to) => {
      const anchor = anchors[to === "" ? page : to].get(name);
      if (anchor === undefined) throw new Error(`docs/api/${page} links to ${name}, which is not on a page.`);
      return `[\`${name}\`](${to}#${anchor})`;
    });
    const contents = Array.from(anchors[page], ([name, anchor]) => `[${name}](#${anchor})`).join(",\n");
    return [page, `${HEAD}\n\n${linked.replace("\n## ", () => `\n${contents}.\n\n## `)}`];
  });
  const index = modules.map(([name, page]) => `- [${name}](${page})`).join("\n");
  return {
    ...Object.fromEntries(pages),
    "README.md": `${HEAD}\n\n# Reference\n\nWhat the package exports, each with its types, defaults and errors.\n\n${index}\n`,
  };
}
