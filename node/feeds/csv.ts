/**
 * Price bars from a CSV file: one header line, one bar a line. Columns are found by name: a time (`open_time_ms` or `unix_timestamp` in
 * seconds) and `open`, `high`, `low`, `close`. A bad line is refused with file, line and reason.
 */
import { readFileSync } from "node:fs";
import { priceE8 } from "./price-text.ts";

export interface Bar {
  readonly openTimeMs: number;
  /** In units of 1e-8. */
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
}

export interface Bars {
  readonly bars: readonly Bar[];
  /** The step between bars. */
  readonly intervalMs: number;
}

export class CsvError extends Error {
  /** `line` counts from 1; 0: the file as a whole. */
  constructor(file: string, line: number, reason: string) {
    super(line === 0 ? `${file}: ${reason}` : `${file}:${line}: ${reason}`);
    this.name = "CsvError";
  }
}

/** Keeps a price file from filling memory; a year of minutes is half of it. */
const BARS_MAX = 1_000_000;

export function readBars(file: string): Bars {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a directory, not a file" : message;
    throw new CsvError(file, 0, reason);
  }
  return parseBars(text, file);
}

function wanted(column: string): string {
  return column === "unix_timestamp" ? '"unix_timestamp" or "open_time_ms"' : `"${column}"`;
}

export function parseBars(text: string, file: string): Bars {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? "").split(",").map((name) => name.trim().toLowerCase());
  const column = (name: string): number => {
    const index = header.indexOf(name);
    if (index < 0)
      throw new CsvError(file, 1, `expected a column ${wanted(name)}, got "${header.join(",")}"`);
    return index;
  };
  const inMs = header.includes("open_time_ms");
  const time = column(inMs ? "open_time_ms" : "unix_timestamp");
  const columns = {
    open: column("open"),
    high: column("high"),
    low: column("low"),
    close: column("close"),
  };
  const bars: Bar[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line === "") continue;
    if (bars.length >= BARS_MAX)
      throw new CsvError(file, i + 1, `expected at most ${BARS_MAX} rows`);
    const fields = line.split(",");
    if (fields.length !== header.length) {
      throw new CsvError(file, i + 1, `expected ${header.length} fields, got ${fields.length}`);
    }
    const bar = readBar(fields, time, inMs, columns, file, i + 1);
    const last = bars.at(-1);
    if (last !== undefined && bar.openTimeMs <= last.openTimeMs) {
      throw new CsvError(
        file,
        i + 1,
        `expected a time after ${last.openTimeMs}, got ${bar.openTimeMs}`,
      );
    }
    bars.push(bar);
  }
  const [first, second] = bars;
  if (first === undefined || second === undefined)
    throw new CsvError(file, lines.length, "expected at least two rows");
  return { bars, intervalMs: second.openTimeMs - first.openTimeMs };
}

function readBar(
  fields: readonly string[],
  time: number,
  inMs: boolean,
  columns: Readonly<Record<"open" | "high" | "low" | "close", number>>,
  file: string,
  line: number,
): Bar {
  const stamp = fields[time]?.trim() ?? "";
  if (!/^[0-9]{1,15}$/.test(stamp))
    throw new CsvError(file, line, `expected a whole number as time, got "${stamp}"`);
  const price = (name: "open" | "high" | "low" | "close"): bigint => {
    const text = fields[columns[name]]?.trim() ?? "";
    const value = priceE8(text);
    if (value === null)
      throw new CsvError(file, line, `expected a decimal as ${name}, got "${text}"`);
    if (value === 0n) throw new CsvError(file, line, `expected ${name} above zero`);
    return value;
  };
  const bar = {
    openTimeMs: Number(stamp) * (inMs ? 1 : 1000),
    open: price("open"),
    high: price("high"),
    low: price("low"),
    close: price("close"),
  };
  for (const name of ["open", "close"] as const) {
    if (bar[name] > bar.high || bar[name] < bar.low) {
      throw new CsvError(file, line, `expected ${name} between low and high`);
    }
  }
  return bar;
}
