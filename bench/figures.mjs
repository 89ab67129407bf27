// Figures: the middle of many, and how they are printed.

/** The value below which a share of all lies. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at % 1);
}

export const median = (values) => quantile(values, 0.5);

/** The median, and the quartiles: half of the values lie between them. */
export const middle = (values) => ({
  median: rounded(median(values)),
  low: rounded(quantile(values, 0.25)),
  high: rounded(quantile(values, 0.75)),
});

/** To four digits: more would be noise. */
export const rounded = (value) => Number(value.toPrecision(4));

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (value) => grouped.format(value);
export const ratio = (value) => value.toFixed(2);
export const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : count(value)} ms`;
export const kilobytes = (bytes) => `${(bytes / 1e3).toFixed(1)} kB`;
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

/** A Markdown table; the first column is text, the others are figures. */
export function table(head, rows) {
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
