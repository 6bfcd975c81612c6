/** Structured logs. Network data is never logged as text above debug: a peer must not write our log. */
import type { Writable } from "node:stream";
import { pino } from "pino";

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface LogOptions {
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  readonly format: "plain" | "json";
  readonly stream: Writable;
}

export function createLogger({ level, format, stream }: LogOptions): Logger {
  const sink =
    format === "json" ? stream : { write: (line: string) => void stream.write(plainLine(line)) };
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, sink);
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}

const LEVELS: Readonly<Record<number, string>> = {
  10: "TRC",
  20: "DBG",
  30: "INF",
  40: "WRN",
  50: "ERR",
  60: "FTL",
};

/** "09:15:02.123 INF committed height=5 txs=2" */
function plainLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `${String(time).slice(11, 23)} ${LEVELS[level as number] ?? "???"} ${String(msg)}${pairs.join("")}\n`;
}
