/**
 * Amino JSON of Keel's own messages, one rule for all: proto field names, fields at their default left out, 64-bit integers as text, enums as
 * numbers, bytes as base64. The name is `keel/` and the message's own; what every module has carries the module in between.
 */
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import type { AminoMessage } from "./module.ts";

const SHARED_NAMES: readonly string[] = ["MsgUpdateParams"];

/** `typeUrl` like "/keel.margin.v1.MsgDeposit"; null for messages of others. */
export function keelAminoMessage(typeUrl: string, message: unknown): AminoMessage | null {
  const [, module, name] = /^\/keel\.([a-z]+)\.v1\.([A-Za-z]+)$/.exec(typeUrl) ?? [];
  if (module === undefined || name === undefined) return null;
  const type = SHARED_NAMES.includes(name) ? `keel/${module}/${name}` : `keel/${name}`;
  return { type, value: fieldsOf(message as object) };
}

/** "rate8hPpm" is the proto field `rate_8h_ppm`. */
function protoName(key: string): string {
  return key.replace(/[A-Z]|(?<=[a-z])[0-9]/g, (found) => `_${found.toLowerCase()}`);
}

function fieldsOf(message: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(message)) {
    const written = writtenOf(value);
    if (written !== undefined) fields[protoName(key)] = written;
  }
  return fields;
}

/** Undefined for a default, which is left out. */
function writtenOf(value: unknown): unknown {
  if (value === undefined || value === null || value === "" || value === 0 || value === false)
    return undefined;
  if (typeof value === "bigint") return value === 0n ? undefined : value.toString();
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : bytesToBase64(value);
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(itemOf);
  return typeof value === "object" ? fieldsOf(value) : value;
}

/** List items are written even at their default: leaving one out would shift the others. */
function itemOf(item: unknown): unknown {
  if (typeof item === "object" && item !== null && !(item instanceof Uint8Array))
    return fieldsOf(item);
  if (typeof item === "bigint") return item.toString();
  return item instanceof Uint8Array ? bytesToBase64(item) : item;
}
