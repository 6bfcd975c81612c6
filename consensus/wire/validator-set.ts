/** Validator sets: wire form, hash, and the way to and from the core's set. */

import { compareBytes, equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { Address, Validator, ValidatorSet } from "../core/types.ts";
import { bytes, embedded, int64, nullable, repeated } from "./fields.ts";
import { ed25519Address, publicKeyMessage } from "./keys.ts";
import {
  addressBytes,
  commitSignaturesMax,
  totalPowerMax,
  validatorSetBytesMax,
} from "./limits.ts";
import { merkleRoot } from "./merkle.ts";
import { type Message, mapped, message } from "./message.ts";
import type { ValidatorInfo, ValidatorSetInfo } from "./types.ts";

/** `tendermint.types.Validator`. */
export const validatorMessage: Message<ValidatorInfo> = message<ValidatorInfo>(
  "Validator",
  {
    address: bytes(1, addressBytes),
    pubKey: embedded(2, publicKeyMessage),
    power: int64(3),
    priority: int64(4),
  },
  { check: validatorProblem },
);

/** The address is recomputed: carrying it apart from the key must not let a false one in. */
function validatorProblem(validator: ValidatorInfo): string | null {
  if (!equalBytes(validator.address, ed25519Address(validator.pubKey)))
    return "expected the address of the key";
  return validator.power >= 0n ? null : `expected a power of at least 0, got ${validator.power}`;
}

interface ValidatorSetRecord extends ValidatorSetInfo {
  readonly totalPower: bigint;
}

const validatorSetRecord = message<ValidatorSetRecord>(
  "ValidatorSet",
  {
    validators: repeated(1, validatorMessage, commitSignaturesMax),
    proposer: nullable(2, validatorMessage),
    totalPower: int64(3),
  },
  {
    bytesMax: validatorSetBytesMax,
    check: (set) =>
      set.totalPower === 0n
        ? validatorSetProblem(set)
        : "unexpected total power: Comet leaves it 0 on the wire",
  },
);

/** `tendermint.types.ValidatorSet`. Order is kept as found: `isOrderedSet` tells whether it is the consensus order. */
export const validatorSetMessage: Message<ValidatorSetInfo> = mapped(
  validatorSetRecord,
  ({ validators, proposer }: ValidatorSetInfo): ValidatorSetRecord => ({
    validators,
    proposer,
    totalPower: 0n,
  }),
  ({ validators, proposer }): ValidatorSetInfo => ({ validators, proposer }),
);

/** First rule a set breaks by itself, or null. */
export function validatorSetProblem(set: ValidatorSetInfo): string | null {
  if (set.validators.length === 0) return "expected at least one validator";
  if (set.proposer === null) return "expected a proposer";
  const seen = new Set<Address>();
  for (const { address } of set.validators) {
    const key = bytesToHex(address);
    if (seen.has(key)) return `expected each validator once, got ${key} twice`;
    seen.add(key);
  }
  const total = totalPower(set.validators);
  return total <= totalPowerMax
    ? null
    : `expected a total power up to ${totalPowerMax}, got ${total}`;
}

const simpleValidatorMessage = message<{
  readonly pubKey: Uint8Array | null;
  readonly power: bigint;
}>("SimpleValidator", { pubKey: nullable(1, publicKeyMessage), power: int64(2) });

/** Leaf of the set hash: key and power only. */
export function simpleValidatorBytes(
  validator: Pick<ValidatorInfo, "pubKey" | "power">,
): Uint8Array {
  return simpleValidatorMessage.encode({ pubKey: validator.pubKey, power: validator.power });
}

/** `validators_hash`: over keys and powers in set order; addresses and priorities are not in it. */
export function validatorsHash(
  validators: readonly Pick<ValidatorInfo, "pubKey" | "power">[],
): Uint8Array {
  return merkleRoot(validators.map(simpleValidatorBytes));
}

export function totalPower(validators: readonly Pick<ValidatorInfo, "power">[]): bigint {
  return validators.reduce((sum, { power }) => sum + power, 0n);
}

/** Consensus order: descending power, then ascending address. */
export function compareValidators(
  a: Pick<ValidatorInfo, "power" | "address">,
  b: Pick<ValidatorInfo, "power" | "address">,
): number {
  if (a.power !== b.power) return a.power > b.power ? -1 : 1;
  return compareBytes(a.address, b.address);
}

export function isOrderedSet(validators: readonly ValidatorInfo[]): boolean {
  return validators.every((validator, i) => {
    const before = validators[i - 1];
    return before === undefined || compareValidators(before, validator) < 0;
  });
}

/** The core's name of an address: upper-case hex. */
export function addressToCore(address: Uint8Array): Address {
  return bytesToHex(address);
}

/** Adds the public keys that the core does not carry; a validator without a known key is a programming error. */
export function validatorSetFromCore(
  set: ValidatorSet,
  publicKeys: ReadonlyMap<Address, Uint8Array>,
): ValidatorSetInfo {
  const withKey = ({ address, power, priority }: Validator): ValidatorInfo => {
    const pubKey = publicKeys.get(address);
    if (pubKey === undefined)
      throw new RangeError(`validator set: no public key known for ${address}`);
    return { address: ed25519Address(pubKey), pubKey, power, priority };
  };
  const validators = set.validators.map(withKey);
  const at = set.validators.findIndex((validator) => validator.address === set.proposer);
  return { validators, proposer: validators[at] ?? null };
}

/** Index and validator of `address`, or null. */
export function findValidator(
  validators: readonly ValidatorInfo[],
  address: Uint8Array,
): { readonly index: number; readonly validator: ValidatorInfo } | null {
  const index = validators.findIndex((one) => equalBytes(one.address, address));
  const validator = validators[index];
  return validator === undefined ? null : { index, validator };
}
