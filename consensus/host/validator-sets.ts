/** Validator sets from block to block: the host keeps keys beside what the core's rotation needs. */
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { ValidatorSet } from "../core/types.ts";
import { applyUpdates, createValidatorSet, incrementProposerPriority } from "../core/validators.ts";
import type { ValidatorUpdate } from "../wire/abci.ts";
import { ed25519Address } from "../wire/keys.ts";
import type { ValidatorInfo } from "../wire/types.ts";
import { addressToCore, totalPower, validatorSetFromCore } from "../wire/validator-set.ts";

const noProposer = "";

function toCore(validators: readonly ValidatorInfo[], proposer: string): ValidatorSet {
  return {
    validators: validators.map(({ address, power, priority }) => ({
      address: addressToCore(address),
      power,
      priority,
    })),
    totalPower: totalPower(validators),
    proposer,
  };
}

function keysOf(
  validators: readonly ValidatorInfo[],
  updates: readonly ValidatorUpdate[],
): ReadonlyMap<string, Uint8Array> {
  const keys = new Map(validators.map((one) => [addressToCore(one.address), one.pubKey]));
  for (const update of updates)
    keys.set(addressToCore(ed25519Address(update.pubKey)), update.pubKey);
  return keys;
}

function toCoreUpdates(updates: readonly ValidatorUpdate[]): { address: string; power: bigint }[] {
  return updates.map((update) => ({
    address: addressToCore(ed25519Address(update.pubKey)),
    power: update.power,
  }));
}

/** The set of a genesis document or InitChain answer. Throws ValidatorSetError on an impossible one. */
export function genesisSet(updates: readonly ValidatorUpdate[]): readonly ValidatorInfo[] {
  return validatorSetFromCore(createValidatorSet(toCoreUpdates(updates)), keysOf([], updates))
    .validators;
}

/** The set one height later: `updates` applied, then one turn of the rotation. Throws ValidatorSetError on an impossible update. */
export function nextSet(
  validators: readonly ValidatorInfo[],
  updates: readonly ValidatorUpdate[],
): readonly ValidatorInfo[] {
  const turned = incrementProposerPriority(
    applyUpdates(toCore(validators, noProposer), toCoreUpdates(updates)),
    1,
  );
  return validatorSetFromCore(turned, keysOf(validators, updates)).validators;
}

/**
 * The core's set of a height, proposer included. Stored sets hold priorities but not whose turn it was, and priorities alone do not
 * tell; but every set is the one before it, changed and turned once, so turning `previous` again names the proposer. `previous` is
 * empty at the initial height. Throws when `validators` does not follow from `previous`: the stored state is damaged.
 */
export function coreSet(
  previous: readonly ValidatorInfo[],
  validators: readonly ValidatorInfo[],
): ValidatorSet {
  const before = new Map(previous.map((one) => [addressToCore(one.address), one.power]));
  const changes = validators
    .map((one) => ({ address: addressToCore(one.address), power: one.power }))
    .filter((one) => before.get(one.address) !== one.power);
  const kept = new Set(validators.map((one) => addressToCore(one.address)));
  for (const address of before.keys()) if (!kept.has(address)) changes.push({ address, power: 0n });
  const turned =
    previous.length === 0
      ? createValidatorSet(changes)
      : incrementProposerPriority(applyUpdates(toCore(previous, noProposer), changes), 1);
  const expected = toCore(validators, turned.proposer);
  const same = turned.validators.every((one, index) => {
    const other = expected.validators[index];
    return other !== undefined && other.address === one.address && other.priority === one.priority;
  });
  if (!same || turned.validators.length !== validators.length) {
    const names = validators.map((one) => bytesToHex(one.address)).join(" ");
    throw new Error(`the stored validator set (${names}) does not follow from the one before it`);
  }
  return turned;
}
