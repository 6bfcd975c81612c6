/** Validator keys: ed25519 only. Addresses, protobuf and the typed JSON of genesis and key files. */

import { base64ToBytes, bytesToBase64 } from "@keel/proto/bytes/base64";
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { sha256 } from "@keel/proto/bytes/sha256";
import { addressBytes, publicKeyBytes } from "./limits.ts";
import { type Field, type Message, mapped, message } from "./message.ts";

export const ed25519PublicKeyType = "tendermint/PubKeyEd25519";
export const ed25519PrivateKeyType = "tendermint/PrivKeyEd25519";
/** Name of the key type in `consensus_params.validator.pub_key_types`. */
export const ed25519KeyName = "ed25519";

/** 20-byte consensus address: SHA256(public key)[:20]. */
export function ed25519Address(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== publicKeyBytes) {
    throw new RangeError(`ed25519: expected a public key of 32 bytes, got ${publicKey.length}`);
  }
  return sha256(publicKey).slice(0, addressBytes);
}

/** A oneof is written even when its bytes are empty, which no valid key is. */
const ed25519Field: Field<Uint8Array> = {
  number: 1,
  wireType: 2,
  repeated: false,
  absent: undefined,
  write(writer, value) {
    writer.varint(10);
    writer.varint(value.length);
    writer.raw(value);
  },
  read(reader) {
    const key = reader.delimited();
    if (key.length !== publicKeyBytes) {
      throw reader.fail("invalid", `expected an ed25519 key of 32 bytes, got ${key.length}`);
    }
    return key;
  },
};

const publicKeyRecord = message<{ readonly ed25519: Uint8Array }>("PublicKey", {
  ed25519: ed25519Field,
});

/** `tendermint.crypto.PublicKey` holding an ed25519 key; any other kind is refused. */
export const publicKeyMessage: Message<Uint8Array> = mapped(
  publicKeyRecord,
  (ed25519) => ({ ed25519 }),
  ({ ed25519 }) => ed25519,
);

export interface TypedKeyJson {
  readonly type: string;
  /** Base64. */
  readonly value: string;
}

/** `{"type": "tendermint/PubKeyEd25519", "value": base64}`. */
export function publicKeyToJson(publicKey: Uint8Array): TypedKeyJson {
  return { type: ed25519PublicKeyType, value: bytesToBase64(publicKey) };
}

/** Public key of its typed JSON; throws `DecodeError`. */
export function publicKeyFromJson(json: unknown): Uint8Array {
  return keyFromJson(json, ed25519PublicKeyType, publicKeyBytes);
}

/** Private key file value: 64 bytes, seed followed by public key. */
export function privateKeyToJson(seed: Uint8Array, publicKey: Uint8Array): TypedKeyJson {
  const joined = new Uint8Array(2 * publicKeyBytes);
  joined.set(seed, 0);
  joined.set(publicKey, publicKeyBytes);
  return { type: ed25519PrivateKeyType, value: bytesToBase64(joined) };
}

export interface PrivateKeyParts {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** Seed and public key of a private key's typed JSON; throws `DecodeError`. Whether they fit is for the signer to check. */
export function privateKeyFromJson(json: unknown): PrivateKeyParts {
  const joined = keyFromJson(json, ed25519PrivateKeyType, 2 * publicKeyBytes);
  return { seed: joined.slice(0, publicKeyBytes), publicKey: joined.slice(publicKeyBytes) };
}

function keyFromJson(json: unknown, type: string, length: number): Uint8Array {
  const record =
    typeof json === "object" && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
  const value = record["value"];
  if (record["type"] !== type || typeof value !== "string") {
    throw new DecodeError("malformed", `key: expected {"type":"${type}","value":base64}`);
  }
  const key = base64ToBytes(value);
  if (key.length !== length) {
    throw new DecodeError("invalid", `key: expected ${length} bytes, got ${key.length}`);
  }
  return key;
}
