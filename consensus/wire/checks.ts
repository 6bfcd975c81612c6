/** Small rules that several records share; each returns what is wrong, or null. */

import { addressBytes, hashBytes, signatureBytesMax } from "./limits.ts";

export function hashOrEmptyProblem(what: string, hash: Uint8Array): string | null {
  if (hash.length === 0 || hash.length === hashBytes) return null;
  return `expected a ${what} of 0 or 32 bytes, got ${hash.length}`;
}

export function addressProblem(what: string, address: Uint8Array): string | null {
  if (address.length === addressBytes) return null;
  return `expected a ${what} of 20 bytes, got ${address.length}`;
}

/** Present and no longer than a signature can be. */
export function signatureProblem(what: string, signature: Uint8Array): string | null {
  if (signature.length > 0 && signature.length <= signatureBytesMax) return null;
  return `expected a ${what} of 1 to 64 bytes, got ${signature.length}`;
}
