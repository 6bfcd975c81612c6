/** What a signature covers: SignDoc (SIGN_MODE_DIRECT). */
import { allocate } from "@keel/proto/bytes/allocate";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { encodeUvarint } from "@keel/proto/bytes/varint";
import type { Tx } from "./tx.ts";

export const SIGN_MODE_DIRECT = 1;
export const SIGN_MODE_LEGACY_AMINO_JSON = 127;

type Signed = Pick<Tx, "bodyBytes" | "authInfoBytes" | "signDoc">;

/** As `encodeSignDoc`, remembered with the transaction. */
export function directSignBytes(tx: Signed, chainId: string, accountNumber: bigint): Uint8Array {
  const known = tx.signDoc;
  if (known?.accountNumber === accountNumber && known.chainId === chainId) return known.bytes;
  const bytes = encodeSignDoc(tx, chainId, accountNumber);
  tx.signDoc = { chainId, accountNumber, bytes };
  return bytes;
}

/** Chain ids are few: one. */
const chainIds = new Map<string, Uint8Array>();

function chainIdBytes(chainId: string): Uint8Array {
  let bytes = chainIds.get(chainId);
  if (bytes === undefined) {
    bytes = utf8ToBytes(chainId);
    chainIds.clear();
    chainIds.set(chainId, bytes);
  }
  return bytes;
}

function fieldSize(value: Uint8Array): number {
  if (value.length === 0) return 0;
  let size = 2 + value.length;
  for (let rest = value.length; rest >= 128; rest >>>= 7) size++;
  return size;
}

/** `SignDoc{body_bytes, auth_info_bytes, chain_id, account_number}`, canonical; the signature is over its SHA-256. */
function encodeSignDoc(tx: Signed, chainId: string, accountNumber: bigint): Uint8Array {
  const { bodyBytes, authInfoBytes } = tx;
  const chain = chainIdBytes(chainId);
  const number = accountNumber > 0n ? encodeUvarint(accountNumber) : null;
  const out = allocate(
    fieldSize(bodyBytes) +
      fieldSize(authInfoBytes) +
      fieldSize(chain) +
      (number === null ? 0 : 1 + number.length),
  );
  let at = 0;
  const field = (tag: number, value: Uint8Array): void => {
    if (value.length === 0) return;
    out[at++] = tag;
    let rest = value.length;
    for (; rest >= 128; rest >>>= 7) out[at++] = (rest & 127) | 128;
    out[at++] = rest;
    out.set(value, at);
    at += value.length;
  };
  field(0x0a, bodyBytes);
  field(0x12, authInfoBytes);
  field(0x1a, chain);
  if (number !== null) {
    out[at++] = 0x20;
    out.set(number, at);
  }
  return out;
}
