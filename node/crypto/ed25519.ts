/**
 * ed25519 by the ZIP-215 rule. libsodium's acceptance implies ZIP-215's, so what it accepts is valid, and only what it rejects is judged again by
 * the reference in JavaScript: honest signatures go at native speed and every node gives the same answer.
 */
import { verifyZip215 } from "@keel/consensus/wire/ed25519";
import { loadSodium } from "./native.ts";

/** Never throws. */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

export const verifyEd25519Js: VerifyEd25519 = verifyZip215;

/** null where the native library is not installed. */
export function nativeEd25519(): VerifyEd25519 | null {
  const sodium = loadSodium();
  if (sodium === null) return null;
  return (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    return (
      sodium.crypto_sign_verify_detached(signature, message, publicKey) ||
      verifyZip215(publicKey, message, signature)
    );
  };
}
