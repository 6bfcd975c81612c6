/**
 * Public keys of accounts: secp256k1, and threshold sets of them in the SDK's amino form; ed25519 of accounts that were made for a trading
 * key. Their addresses.
 */
import { concatBytes } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { encodeUvarint } from "@keel/proto/bytes/varint";
import { addressOfKey } from "../kit/key-address.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { PublicKey } from "./account.ts";
import { MULTISIG_DEPTH_MAX, MULTISIG_KEYS_MAX } from "./limits.ts";
import { readMessage, WireReader } from "./wire.ts";

export const SECP256K1 = "/cosmos.crypto.secp256k1.PubKey";
export const ED25519 = "/cosmos.crypto.ed25519.PubKey";
export const MULTISIG = "/cosmos.crypto.multisig.LegacyAminoPubKey";

export type AccountKey =
  | { readonly kind: "secp256k1"; readonly bytes: Uint8Array }
  | { readonly kind: "ed25519"; readonly bytes: Uint8Array }
  | { readonly kind: "multisig"; readonly threshold: number; readonly keys: readonly AccountKey[] };

/** Decodes a key; throws sdk 8 on anything that cannot own an account. */
export function readKey(key: PublicKey, depth: number = 0): AccountKey {
  if (key.typeUrl === SECP256K1) {
    const bytes = keyBytes(key.value);
    if (bytes.length !== 33)
      throw sdkError("invalidPubKey", `expected a 33-byte secp256k1 key, got ${bytes.length}`);
    return { kind: "secp256k1", bytes };
  }
  if (key.typeUrl === ED25519) {
    const bytes = keyBytes(key.value);
    if (bytes.length !== 32)
      throw sdkError("invalidPubKey", `expected a 32-byte ed25519 key, got ${bytes.length}`);
    return { kind: "ed25519", bytes };
  }
  if (key.typeUrl !== MULTISIG) {
    throw sdkError("invalidPubKey", `unable to resolve type URL ${key.typeUrl.slice(0, 100)}`);
  }
  return readMultisig(key.value, depth);
}

const none: Uint8Array = new Uint8Array(0);

function keyBytes(value: Uint8Array): Uint8Array {
  let bytes: Uint8Array = none;
  const reader = new WireReader(value);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) bytes = reader.bytes();
    else reader.unknown("/cosmos.crypto.secp256k1.PubKey", field);
  }
  return bytes;
}

function readMultisig(value: Uint8Array, depth: number): AccountKey {
  let threshold = 0;
  const keys: AccountKey[] = [];
  readMessage("LegacyAminoPubKey", new WireReader(value), {
    1: (reader) => {
      threshold = reader.uint32();
    },
    2: (reader) => {
      if (depth >= MULTISIG_DEPTH_MAX || keys.length >= MULTISIG_KEYS_MAX)
        throw sdkError("invalidPubKey", "multisig key too deep or too large");
      keys.push(readKey(reader.nested(readAny), depth + 1));
    },
  });
  if (threshold < 1 || keys.length < threshold)
    throw sdkError("invalidPubKey", `multisig of ${keys.length} keys with threshold ${threshold}`);
  return { kind: "multisig", threshold, keys };
}

export function readAny(reader: WireReader): PublicKey {
  let typeUrl = "";
  let value: Uint8Array = none;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) typeUrl = reader.text();
    else if (field === 2) value = reader.bytes();
    else reader.unknown("/google.protobuf.Any", field);
  }
  return { typeUrl, value };
}

const AMINO_SECP256K1 = Uint8Array.of(0xeb, 0x5a, 0xe9, 0x87, 0x21);
const AMINO_MULTISIG = Uint8Array.of(0x22, 0xc1, 0xf7, 0xe2);

function aminoBytes(key: AccountKey): Uint8Array {
  if (key.kind === "secp256k1") return concatBytes(AMINO_SECP256K1, key.bytes);
  if (key.kind === "ed25519")
    throw sdkError("invalidPubKey", "ED25519 public keys are unsupported");
  const parts = [AMINO_MULTISIG, Uint8Array.of(0x08), encodeUvarint(key.threshold)];
  for (const member of key.keys) {
    const bytes = aminoBytes(member);
    parts.push(Uint8Array.of(0x12), encodeUvarint(bytes.length), bytes);
  }
  return concatBytes(...parts);
}

/** 20 bytes: as `addressOfKey` of a single key, SHA256(amino form)[:20] of a threshold set. */
export function keyAddress(key: AccountKey): Uint8Array {
  if (key.kind !== "multisig") return addressOfKey(key.kind, key.bytes);
  return sha256(aminoBytes(key)).slice(0, 20);
}

/** The key message, in canonical form. */
export function encodeKey(key: AccountKey): PublicKey {
  if (key.kind === "multisig") return { typeUrl: MULTISIG, value: encodeMultisig(key) };
  const length = encodeUvarint(key.bytes.length);
  const value = concatBytes(Uint8Array.of(0x0a), length, key.bytes);
  return { typeUrl: key.kind === "secp256k1" ? SECP256K1 : ED25519, value };
}

function encodeMultisig(key: AccountKey & { readonly kind: "multisig" }): Uint8Array {
  const parts = [Uint8Array.of(0x08), encodeUvarint(key.threshold)];
  const field = (tag: number, bytes: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(tag), encodeUvarint(bytes.length), bytes);
  for (const member of key.keys) {
    const { typeUrl, value } = encodeKey(member);
    parts.push(field(0x12, concatBytes(field(0x0a, utf8ToBytes(typeUrl)), field(0x12, value))));
  }
  return concatBytes(...parts);
}
