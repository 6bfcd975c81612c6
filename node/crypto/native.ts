/** The optional native libraries, or null where they did not install. */
import { createRequire } from "node:module";

export interface NativeSecp256k1 {
  ecdsaVerify(signature: Uint8Array, hash: Uint8Array, publicKey: Uint8Array): boolean;
}

export interface NativeSodium {
  crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean;
}

const load = createRequire(import.meta.url);

function tryLoad<T>(name: string): T | null {
  try {
    return load(name) as T;
  } catch {
    // Optional dependencies: a machine without a prebuilt binary uses the JavaScript ones.
    return null;
  }
}

export function loadSecp256k1(): NativeSecp256k1 | null {
  return tryLoad("secp256k1/bindings");
}

export function loadSodium(): NativeSodium | null {
  return tryLoad("sodium-native");
}
