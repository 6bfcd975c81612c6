/** Public keys of accounts in genesis documents, as the SDK's ProtoJSON writes them. */
import { base64ToBytes, bytesToBase64 } from "@keel/proto/bytes/base64";
import { asObject, GenesisError, readArray, readString, readUint } from "../kit/json.ts";
import type { PublicKey } from "./account.ts";
import { MULTISIG_DEPTH_MAX } from "./limits.ts";
import {
  type AccountKey,
  ED25519,
  encodeKey,
  MULTISIG,
  readKey,
  SECP256K1,
} from "./public-keys.ts";

export function keyToJson(key: PublicKey | null): unknown {
  return key === null ? null : writeKey(readKey(key));
}

function writeKey(key: AccountKey): unknown {
  if (key.kind !== "multisig")
    return {
      "@type": key.kind === "secp256k1" ? SECP256K1 : ED25519,
      key: bytesToBase64(key.bytes),
    };
  return { "@type": MULTISIG, threshold: key.threshold, public_keys: key.keys.map(writeKey) };
}

/** Throws GenesisError on anything that cannot own an account. */
export function keyFromJson(value: unknown, path: string): PublicKey | null {
  if (value === null || value === undefined) return null;
  try {
    const key = encodeKey(parseKey(value, path, 0));
    readKey(key);
    return key;
  } catch {
    throw new GenesisError(path, "a public key of an account", value);
  }
}

function parseKey(value: unknown, path: string, depth: number): AccountKey {
  const json = asObject(value, path);
  const type = readString(json, "@type", path);
  if (type !== MULTISIG) {
    const kind = type === SECP256K1 ? "secp256k1" : type === ED25519 ? "ed25519" : null;
    if (kind === null) throw new GenesisError(path, "a known type of key", type);
    return { kind, bytes: base64ToBytes(readString(json, "key", path)) };
  }
  if (depth > MULTISIG_DEPTH_MAX) throw new GenesisError(path, "a set of keys less deep", type);
  return {
    kind: "multisig",
    threshold: Number(readUint(json, "threshold", path)),
    keys: readArray(json, "public_keys", path).map((one) => parseKey(one, path, depth + 1)),
  };
}
