/** Readers of the node's JSON that CosmJS has no types for: the events of a WebSocket stream. */
import { base64ToBytes } from "@keel/proto/bytes/base64";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import type { RawTxResult, TxEvent } from "./tx-result.ts";

type Json = Readonly<Record<string, unknown>>;

const asObject = (value: unknown): Json | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
const asText = (value: unknown): string => (typeof value === "string" ? value : "");
const asInteger = (value: unknown): bigint => {
  const text = typeof value === "number" ? value.toString() : asText(value);
  return /^-?[0-9]{1,19}$/.test(text) ? BigInt(text) : 0n;
};

export interface StreamMessage {
  readonly id: number;
  /** The JSON-RPC error's text. */
  readonly error: string | null;
  readonly txs: readonly RawTxResult[];
}

/** One WebSocket message, or null when it is none of ours. */
export function readStreamMessage(text: string): StreamMessage | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const message = asObject(parsed);
  if (message === null) return null;
  const id = Number(message["id"]);
  if (!Number.isSafeInteger(id)) return null;
  const failure = asObject(message["error"]);
  const data = asObject(asObject(message["result"])?.["data"]);
  const inner = asObject(asObject(data?.["value"])?.["TxResult"]);
  return {
    id,
    error:
      failure === null
        ? null
        : `${asText(failure["message"])}: ${asText(failure["data"])}`.slice(0, 300),
    txs: inner === null ? [] : readTxResult(inner),
  };
}

function readTxResult(inner: Json): RawTxResult[] {
  const result = asObject(inner["result"]);
  const tx = asText(inner["tx"]);
  if (result === null || tx === "") return [];
  return [
    {
      hash: bytesToHex(sha256(base64ToBytes(tx))),
      height: Number(asInteger(inner["height"])),
      code: Number(asInteger(result["code"])),
      codespace: asText(result["codespace"]),
      log: asText(result["log"]),
      data: base64ToBytes(asText(result["data"])),
      gasWanted: asInteger(result["gas_wanted"]),
      gasUsed: asInteger(result["gas_used"]),
      events: readEvents(result["events"]),
    },
  ];
}

function readEvents(json: unknown): TxEvent[] {
  if (!Array.isArray(json)) return [];
  return json.map((item) => {
    const event = asObject(item);
    const attributes: unknown = event?.["attributes"];
    return {
      type: asText(event?.["type"]),
      attributes: (Array.isArray(attributes) ? attributes : []).map((entry) => {
        const attribute = asObject(entry);
        return { key: asText(attribute?.["key"]), value: asText(attribute?.["value"]) };
      }),
    };
  });
}
