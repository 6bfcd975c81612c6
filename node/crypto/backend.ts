/** Which implementation answers: native where installed, JavaScript on demand or as the fallback. Both give the same answers. */
import type { VerifyEd25519 } from "./ed25519.ts";
import { nativeEd25519, verifyEd25519Js } from "./ed25519.ts";
import type { VerifySecp256k1Hash } from "./secp256k1.ts";
import { nativeSecp256k1, verifySecp256k1Js } from "./secp256k1.ts";

export type KeyType = "secp256k1" | "ed25519";

export type CryptoBackend = "native" | "js";

export interface Backend {
  readonly secp256k1: VerifySecp256k1Hash;
  readonly ed25519: VerifyEd25519;
}

export function loadBackend(wanted: CryptoBackend): Backend {
  if (wanted === "js") return { secp256k1: verifySecp256k1Js, ed25519: verifyEd25519Js };
  return {
    secp256k1: nativeSecp256k1() ?? verifySecp256k1Js,
    ed25519: nativeEd25519() ?? verifyEd25519Js,
  };
}

/** `KEEL_CRYPTO=js` forces the JavaScript implementations. */
export function backendFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): CryptoBackend {
  const value = environment["KEEL_CRYPTO"] ?? "native";
  if (value !== "native" && value !== "js")
    throw new Error(`KEEL_CRYPTO: expected "native" or "js", got "${value}"`);
  return value;
}
