/** Packed batches between the main thread and the workers: one buffer there, one byte per answer back. */
import type { Backend, KeyType } from "./backend.ts";

/** What is judged: for secp256k1 `message` is already the 32-byte hash. */
export interface PackedCheck {
  readonly type: KeyType;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const HEADER_BYTES = 12;

/** Per check: type, key, signature and message lengths (12 bytes), then the three. */
export function packChecks(checks: readonly PackedCheck[]): Uint8Array {
  const length = checks.reduce(
    (sum, one) =>
      sum + HEADER_BYTES + one.publicKey.length + one.signature.length + one.message.length,
    0,
  );
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const { type, publicKey, message, signature } of checks) {
    view.setUint16(at, type === "secp256k1" ? 1 : 2);
    view.setUint16(at + 2, publicKey.length);
    view.setUint32(at + 4, signature.length);
    view.setUint32(at + 8, message.length);
    at += HEADER_BYTES;
    for (const part of [publicKey, signature, message]) {
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}

/** One byte per check: 1 valid, 0 not. */
export function judgeBatch(batch: Uint8Array, backend: Backend): Uint8Array {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const results: number[] = [];
  let at = 0;
  const take = (length: number): Uint8Array => batch.subarray(at, (at += length));
  while (at < batch.length) {
    const type = view.getUint16(at);
    const lengths = [view.getUint16(at + 2), view.getUint32(at + 4), view.getUint32(at + 8)];
    at += HEADER_BYTES;
    const publicKey = take(lengths[0] as number);
    const signature = take(lengths[1] as number);
    const message = take(lengths[2] as number);
    const verify = type === 1 ? backend.secp256k1 : backend.ed25519;
    results.push(verify(publicKey, message, signature) ? 1 : 0);
  }
  return Uint8Array.from(results);
}
