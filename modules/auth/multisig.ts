/** Threshold signatures: `MultiSignature{signatures}` with a bit per member that signed. */
import { sdkError } from "../kit/sdk-errors.ts";
import type { VerifySignature } from "../kit/signature.ts";
import { MULTISIG_KEYS_MAX } from "./limits.ts";
import type { AccountKey } from "./public-keys.ts";
import type { ModeInfo } from "./tx.ts";
import { parseError, readMessage, WireReader } from "./wire.ts";

type Multisig = Extract<AccountKey, { kind: "multisig" }>;
type MultiMode = Extract<ModeInfo, { kind: "multi" }>;

export function readMultiSignature(bytes: Uint8Array): readonly Uint8Array[] {
  const signatures: Uint8Array[] = [];
  readMessage("/cosmos.crypto.multisig.v1beta1.MultiSignature", new WireReader(bytes), {
    1: (reader) => {
      if (signatures.length >= MULTISIG_KEYS_MAX) throw parseError("too many signatures");
      signatures.push(reader.bytes());
    },
  });
  return signatures;
}

/** Members that signed pay for one signature each; in simulation, where nothing is signed yet, the threshold does. */
export function multisigGasKeys(key: Multisig, mode: ModeInfo | null): number {
  if (mode?.kind !== "multi") return key.threshold;
  const signed = mode.bits.filter((bit) => bit).length;
  return signed === 0 ? key.threshold : signed;
}

/** null when at least the threshold signed and every signature given is valid. */
export function checkMultisig(
  verify: VerifySignature,
  key: Multisig,
  signed: {
    readonly mode: MultiMode;
    readonly signature: Uint8Array;
    readonly signBytes: (mode: number) => Uint8Array | null;
  },
): string | null {
  const { bits, modes } = signed.mode;
  const signatures = readMultiSignature(signed.signature);
  if (bits.length !== key.keys.length) {
    return `bit array size is incorrect, expecting: ${key.keys.length}`;
  }
  const members = key.keys.filter((_, i) => bits[i] === true);
  if (members.length < key.threshold || signatures.length < key.threshold) {
    return `not enough signatures set, have ${members.length}, expected ${key.threshold}`;
  }
  if (signatures.length !== members.length || modes.length !== members.length) {
    return `expected ${members.length} signatures and modes, got ${signatures.length} and ${modes.length}`;
  }
  for (const [i, member] of members.entries()) {
    const mode = modes[i] as ModeInfo;
    // A threshold set inside another would need its own bit array; the SDK's clients never build one.
    if (member.kind !== "secp256k1" || mode.kind !== "single")
      throw sdkError("invalidPubKey", "nested multisig keys are unsupported");
    const bytes = signed.signBytes(mode.mode);
    if (bytes === null) return `sign mode ${mode.mode} is not supported for this transaction`;
    const signature = signatures[i] as Uint8Array;
    if (!verify({ kind: "secp256k1", key: member.bytes, message: bytes, signature }))
      return "unable to verify signature at index " + i;
  }
  return null;
}
