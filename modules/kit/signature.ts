/** Signatures as modules ask for them: the node answers, from a cache that worker threads may fill ahead. */

export type KeyKind = "secp256k1" | "ed25519";

/**
 * secp256k1: ECDSA over SHA-256 of `message`, 33-byte key, 64-byte r ‖ s with low s. ed25519: over `message` itself, 32-byte key, by the
 * ZIP-215 rule.
 */
export interface SignatureQuestion {
  readonly kind: KeyKind;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** A pure function that never throws: whatever remembers or prepares its answers changes nothing but speed. */
export type VerifySignature = (question: SignatureQuestion) => boolean;
