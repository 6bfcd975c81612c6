/** Strict reading of JSON from outside: what is not of the expected shape is one sentence, thrown. */
import { priceE8 } from "../price-text.ts";
import type { BookTop } from "./types.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Nesting beyond this is no ticker; a deep answer would otherwise be followed by recursion. */
const DEPTH_MAX = 12;

export function readJson(text: string): Json {
  if (deeper(text, DEPTH_MAX)) throw new Error("expected a flat answer");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("expected JSON");
  }
  return object(value, "the answer");
}

function deeper(text: string, most: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (quoted) {
      if (char === "\\") i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{" || char === "[") {
      depth += 1;
      if (depth > most) return true;
    } else if (char === "}" || char === "]") depth -= 1;
  }
  return false;
}

export function object(value: unknown, what: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`expected ${what} to be an object`);
  }
  return value as Json;
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`expected ${what} to be a list`);
  return value;
}

const TICKER = /^[A-Za-z0-9/._-]{1,32}$/;

export function ticker(value: unknown): string {
  if (typeof value !== "string" || !TICKER.test(value)) throw new Error("expected a ticker");
  return value;
}

/** A decimal as text or, where an exchange writes numbers, as the shortest text of that number. */
function price(value: unknown, what: string): bigint {
  const text = typeof value === "number" ? String(value) : value;
  const found = typeof text === "string" ? priceE8(text) : null;
  if (found === null || found === 0n) throw new Error(`expected a positive decimal as ${what}`);
  return found;
}

export function bookTop(
  name: string,
  {
    bid,
    ask,
    timeMs,
  }: { readonly bid: unknown; readonly ask: unknown; readonly timeMs: number | null },
): BookTop {
  const [bidE8, askE8] = [price(bid, "bid"), price(ask, "ask")];
  if (bidE8 > askE8) throw new Error(`${name}: the bid is above the ask`);
  return { ticker: name, bidE8, askE8, timeMs };
}

/** Unix milliseconds as a number or as digits; between 2001 and 2286. */
export function unixMs(value: unknown): number {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !/^[1-9][0-9]{12}$/.test(text)) {
    throw new Error("expected a time in milliseconds");
  }
  return Number(text);
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;

export function rfc3339Ms(value: unknown): number {
  const found = typeof value === "string" && RFC_3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(found)) throw new Error("expected an RFC 3339 time");
  return found;
}

/** The answer is about what was asked, each once and nothing else. */
export function matching(tops: readonly BookTop[], tickers: readonly string[]): readonly BookTop[] {
  const wanted = new Set(tickers);
  for (const top of tops) {
    if (!wanted.delete(top.ticker)) throw new Error(`got ${top.ticker}, which was not asked for`);
  }
  if (wanted.size > 0) throw new Error(`got nothing of ${[...wanted].join(", ")}`);
  return tops;
}

/** What an exchange says of a fault, short and printable. */
export function refusalText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? "no reason");
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 100);
}
