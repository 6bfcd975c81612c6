/** The figures behind the checks of a report, as JSON (money as text), so that anybody can do the sums again later. */
import { readFileSync } from "node:fs";
import type { Check, ClosingBooks, Crowd, Flows, Opening } from "./checks.ts";
import { checkBooks, checkCrowd } from "./checks.ts";

export interface Figures {
  readonly books: ClosingBooks;
  readonly flows: Flows;
  readonly opening: Opening;
  readonly crowd: Crowd;
}

/** Bigints as "123n", which no other field of a report looks like. */
export function toJsonText(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner),
    2,
  );
  return `${text}\n`;
}

function fromJsonText(text: string): unknown {
  return JSON.parse(text, (_key, inner: unknown) =>
    typeof inner === "string" && /^-?[0-9]+n$/.test(inner) ? BigInt(inner.slice(0, -1)) : inner,
  );
}

/** Every check that needs nothing but the figures. */
export function checkFigures({ books, flows, opening, crowd }: Figures): Check[] {
  return [...checkBooks(books, flows, opening), checkCrowd(crowd)];
}

/** Does the sums of a written report again, from its figures alone. Throws one sentence when it is not a report. */
export function recheck(file: string): Check[] {
  let figures: Figures | undefined;
  try {
    figures = (fromJsonText(readFileSync(file, "utf8")) as { figures?: Figures }).figures;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Error(missing ? `${file} is missing` : `${file} is not a report`);
  }
  if (figures === undefined) throw new Error(`${file} holds no figures`);
  try {
    return checkFigures(figures);
  } catch {
    throw new Error(`${file}: the figures are not complete`);
  }
}
