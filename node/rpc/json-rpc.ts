/** JSON-RPC 2.0 without a transport: what a request body asks for and what the answer looks like. */
import { BATCH_MAX, JSON_DEPTH_MAX } from "./limits.ts";

export type RpcId = string | number;

export class RpcError extends Error {
  readonly code: number;
  readonly data: string;

  constructor(code: number, message: string, data = "") {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = data;
  }
}

export const invalidParams = (data: string): RpcError =>
  new RpcError(-32602, "Invalid params", data);
export const internalError = (data: string): RpcError =>
  new RpcError(-32603, "Internal error", data);
export const invalidRequest = (data: string): RpcError =>
  new RpcError(-32600, "Invalid Request", data);

export interface RpcCall {
  /** null: a notification, which gets no answer. */
  readonly id: RpcId | null;
  readonly method: string;
  readonly params: unknown;
}

export type RpcResponse =
  | { readonly jsonrpc: "2.0"; readonly id: RpcId; readonly result: unknown }
  | {
      readonly jsonrpc: "2.0";
      readonly id: RpcId;
      readonly error: { code: number; message: string; data: string };
    };

export function success(id: RpcId, result: unknown): RpcResponse {
  return { jsonrpc: "2.0", id, result };
}

export function failure(id: RpcId, error: unknown): RpcResponse {
  const known = error instanceof RpcError ? error : internalError((error as Error).message);
  return {
    jsonrpc: "2.0",
    id,
    error: { code: known.code, message: known.message, data: known.data },
  };
}

export interface ParsedBody {
  readonly batch: boolean;
  readonly calls: readonly (RpcCall | RpcError)[];
}

/** Throws RpcError −32700 when the text is not JSON, −32600 when the batch is empty or too long. */
export function parseBody(text: string): ParsedBody {
  if (depthExceeds(text, JSON_DEPTH_MAX))
    throw invalidRequest(`nested deeper than ${JSON_DEPTH_MAX}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new RpcError(-32700, "Parse error. Invalid JSON", (error as Error).message);
  }
  if (!Array.isArray(json)) return { batch: false, calls: [parseCall(json)] };
  if (json.length === 0 || json.length > BATCH_MAX) {
    throw invalidRequest(`expected 1 to ${BATCH_MAX} requests in a batch, got ${json.length}`);
  }
  return { batch: true, calls: json.map(parseCall) };
}

function parseCall(json: unknown): RpcCall | RpcError {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return invalidRequest("expected an object");
  const { id, method, params } = json as Record<string, unknown>;
  if (typeof method !== "string") return invalidRequest("expected a method name");
  if (id !== undefined && id !== null && typeof id !== "string" && typeof id !== "number") {
    return invalidRequest("expected a string or number as id");
  }
  return { id: id ?? null, method, params };
}

/** Brackets outside strings nested deeper than `limit`; checked before JSON.parse spends time on it. */
function depthExceeds(text: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) i = endOfString(text, i);
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}

/** Index of the quote that ends the string begun at `start`, or of the text's end. Most of a body is one transaction after another. */
function endOfString(text: string, start: number): number {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return text.length;
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return quote;
    from = quote + 1;
  }
}
