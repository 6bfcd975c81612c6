/**
 * Four SHA-256 at once. Tree hashing is very many short messages, and calling into OpenSSL costs more than hashing one of them;
 * a small WebAssembly function with 128-bit vectors, one message per 32-bit lane, does four for the price of about one.
 *
 * The module is assembled here, instruction by instruction, so that nothing binary is kept in the repository.
 */
import { assembleModule } from "./sha256-assembly.ts";

/** The compiler's library for servers does not know WebAssembly; this is the part used here. */
interface WebAssemblyRuntime {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}
const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssemblyRuntime }).WebAssembly;

/** Blocks a lane has room for; longer messages are OpenSSL's. */
export const laneBlocksMax = 8;
const laneBytes: number = laneBlocksMax * 64;
export const lanes = 4;

const digestAt: number = lanes * laneBytes;

/** Message bytes: lane n has `laneBytes` from n × `laneBytes`. */
const memory = new wasm.Memory({ initial: 1 });
export const laneMemory: Uint8Array = new Uint8Array(memory.buffer);
export const laneView: DataView = new DataView(memory.buffer);
/** After `hashLanes`: word w of lane n is at 4w + n. */
export const digests: Int32Array = new Int32Array(memory.buffer, digestAt, 8 * lanes);

/** Where lane `lane` begins in `laneMemory`. */
export function laneStart(lane: number): number {
  return lane * laneBytes;
}

/** Blocks of a message of `length` bytes with its padding. */
export function blocksOf(length: number): number {
  return ((length + 8) >>> 6) + 1;
}

/** Completes a message of `length` bytes in `lane`: a one bit, zeros, the length in bits. */
export function padLane(lane: number, length: number): void {
  const start = lane * laneBytes;
  const end = start + blocksOf(length) * 64;
  laneMemory[start + length] = 0x80;
  for (let at = start + length + 1; at < end - 4; at++) laneMemory[at] = 0;
  laneView.setUint32(end - 4, length * 8);
}

/** Hashes all lanes, each holding a padded message of `blocks` blocks; what a lane not filled gives is meaningless. */
export const hashLanes: (blocks: number) => void = new wasm.Instance(
  new wasm.Module(assembleModule({ lanes, laneBytes, digestAt })),
  { e: { m: memory } },
).exports["h"] as (blocks: number) => void;
