/** What a signature covers: SignDoc (SIGN_MODE_DIRECT). */
import { concatBytes } from "@keel/proto/bytes/compare";
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
  const parts: Uint8Array[] = [];
  const field = (tag: number, value: Uint8Array): void => {
    if (value.length > 0) parts.push(Uint8Array.of(tag), encodeUvarint(value.length), value);
  };
  field(0x0a, tx.bodyBytes);
  field(0x12, tx.authInfoBytes);
  field(0x1a, utf8ToBytes(chainId));
  if (accountNumber > 0n) parts.push(Uint8Array.of(0x20), encodeUvarint(accountNumber));
  return concatBytes(...parts);
}
