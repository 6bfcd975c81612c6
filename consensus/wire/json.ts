/** Reading JSON from outside: each helper names the field in its refusal. */

import { DecodeError } from "@keel/proto/bytes/decode-error";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A plain object with no other keys than `keys`: a misspelt key must not silently mean its default. */
export function object(where: string, json: unknown, keys: readonly string[]): JsonObject {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new DecodeError("malformed", `${where}: expected an object`);
  }
  for (const key of Object.keys(json)) {
    if (!keys.includes(key))
      throw new DecodeError("unknown-field", `${where}: unknown field "${key.slice(0, 64)}"`);
  }
  return json as JsonObject;
}

export function list(where: string, json: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(json)) throw new DecodeError("malformed", `${where}: expected a list`);
  if (json.length > max)
    throw new DecodeError("too-large", `${where}: expected at most ${max}, got ${json.length}`);
  return json;
}

export function text(where: string, json: unknown): string {
  if (typeof json !== "string") throw new DecodeError("malformed", `${where}: expected a string`);
  return json;
}

/** 64-bit integer as a canonical decimal string (or a safe JSON number, which some tools write). */
export function integerText(where: string, json: unknown): bigint {
  if (typeof json === "number" && Number.isSafeInteger(json)) return BigInt(json);
  if (typeof json !== "string" || !/^(0|-?[1-9]\d{0,18})$/.test(json)) {
    throw new DecodeError("malformed", `${where}: expected a decimal string`);
  }
  const value = BigInt(json);
  if (BigInt.asIntN(64, value) !== value)
    throw new DecodeError("out-of-range", `${where}: expected an int64`);
  return value;
}

/** The same as a safe number of at least 0. */
export function safeInteger(where: string, json: unknown): number {
  const value = integerText(where, json);
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new DecodeError("out-of-range", `${where}: expected 0 to 2^53-1, got ${value}`);
  }
  return Number(value);
}
