/** The node's identity on the network: an ed25519 key in CometBFT's `config/node_key.json` shape. */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { base64ToBytes, bytesToBase64 } from "@keel/proto/bytes/base64";
import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { ed25519 } from "@noble/curves/ed25519.js";
import type { PeerId } from "../host/ports.ts";
import { nodeKeyToPeerId } from "./peer-address.ts";

export interface NodeKey {
  readonly id: PeerId;
  /** Seed followed by public key, 64 bytes. */
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

const keyType = "tendermint/PrivKeyEd25519";

export function generateNodeKey(): NodeKey {
  const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const seed = Buffer.from(jwk.d as string, "base64url");
  const publicKey = Buffer.from(jwk.x as string, "base64url");
  return nodeKeyFromBytes(concatBytes(seed, publicKey));
}

/** The key of a 64-byte private key; throws `DecodeError` when its public half does not belong to its seed. */
export function nodeKeyFromBytes(privateKey: Uint8Array): NodeKey {
  if (privateKey.length !== 64) {
    throw new DecodeError("malformed", `node key: expected 64 bytes, got ${privateKey.length}`);
  }
  const publicKey = privateKey.slice(32);
  if (!equalBytes(ed25519.getPublicKey(privateKey.subarray(0, 32)), publicKey)) {
    throw new DecodeError(
      "invalid",
      "node key: the public half does not belong to the private half",
    );
  }
  return { id: nodeKeyToPeerId(publicKey), privateKey: privateKey.slice(), publicKey };
}

/** The JSON text of `node_key.json`. */
export function nodeKeyToJson(key: NodeKey): string {
  return `${JSON.stringify({ priv_key: { type: keyType, value: bytesToBase64(key.privateKey) } })}\n`;
}

/** Reads the JSON text of `node_key.json`; throws `DecodeError`. */
export function parseNodeKey(json: string): NodeKey {
  let parsed: { priv_key?: { type?: unknown; value?: unknown } } | null;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new DecodeError("malformed", "node key: expected JSON");
  }
  const { type, value } = parsed?.priv_key ?? {};
  if (type !== keyType || typeof value !== "string") {
    throw new DecodeError("malformed", `node key: expected priv_key of type ${keyType}`);
  }
  return nodeKeyFromBytes(base64ToBytes(value));
}

/** Reads the key file, or writes a new one (mode 0600) when there is none. */
export function loadOrCreateNodeKey(path: string): NodeKey {
  try {
    return parseNodeKey(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const key = generateNodeKey();
  mkdirSync(dirname(path), { recursive: true });
  // Never over a file that appeared meanwhile.
  writeFileSync(path, nodeKeyToJson(key), { mode: 0o600, flag: "wx" });
  return key;
}
