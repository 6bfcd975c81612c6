/** What a signature covers: SignDoc (SIGN_MODE_DIRECT). */
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { encodeUvarint } from "@keel/proto/bytes/varint";
import type { Tx } from "./tx.ts";

export const SIGN_MODE_DIRECT = 1;
export const SIGN_MODE_LEGACY_AMINO_JSON = 127;

type Signed = Pick<Tx, "bodyBytes" | "authInfoBytes">;

/** The last answer for each transaction: admission, preparation and execution ask the same question. */
const answered = new WeakMap<
  Signed,
  { readonly chainId: string; readonly accountNumber: bigint; readonly bytes: Uint8Array }
>();

/** As `encodeSignDoc`, remembered per transaction. */
export function directSignBytes(tx: Signed, chainId: string, accountNumber: bigint): Uint8Array {
  const known = answered.get(tx);
  if (known?.accountNumber === accountNumber && known.chainId === chainId) return known.bytes;
  const bytes = encodeSignDoc(tx, chainId, accountNumber);
  answered.set(tx, { chainId, accountNumber, bytes });
  return bytes;
}

/** `SignDoc{body_bytes, auth_info_bytes, chain_id, account_number}`, canonical; the signature is over its SHA-256. */
function encodeSignDoc(tx: Signed, chainId: string, accountNumber: bigint): Uint8Array {
  const chain = utf8ToBytes(chainId);
  const { bodyBytes, authInfoBytes } = tx;
  // One tag, and a length or number of at most ten bytes, per field.
  const out = new Uint8Array(bodyBytes.length + authInfoBytes.length + chain.length + 44);
  let at = 0;
  const varint = (value: number): void => {
    let rest = value;
    for (; rest >= 128; rest = (rest - (rest & 127)) / 128) out[at++] = (rest & 127) | 128;
    out[at++] = rest;
  };
  const field = (tag: number, value: Uint8Array): void => {
    if (value.length === 0) return;
    out[at++] = tag;
    varint(value.length);
    out.set(value, at);
    at += value.length;
  };
  field(0x0a, bodyBytes);
  field(0x12, authInfoBytes);
  field(0x1a, chain);
  if (accountNumber > 0n) {
    const number = encodeUvarint(accountNumber);
    out[at++] = 0x20;
    out.set(number, at);
    at += number.length;
  }
  return out.slice(0, at);
}
