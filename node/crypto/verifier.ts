/** The one door to signature checks: pure and synchronous answers, remembered in a bounded cache that worker threads may pre-fill. */

export type KeyType = "secp256k1" | "ed25519";

export interface SignatureCheck {
  readonly type: KeyType;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export interface SignatureVerifier {
  /** ECDSA over SHA-256 of `message`; 33-byte key, 64-byte r ‖ s, low s only. Never throws. */
  verifySecp256k1(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** ZIP-215. Never throws. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** Checks on the worker threads, so that the same questions asked afterwards are answered from the cache. Never rejects. */
  prefetch(checks: readonly SignatureCheck[]): Promise<void>;
  close(): Promise<void>;
}
