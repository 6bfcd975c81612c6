/**
 * The validator set and its proposer rotation, exactly CometBFT's: nodes that disagree on one priority disagree on the
 * proposer and refuse each other's proposals. Two divisions round differently on purpose: rescaling truncates toward zero,
 * centring takes the floor.
 */

import { POWER_TOTAL_MAX, PRIORITY_WINDOW_FACTOR, ROUND_MAX } from "./limits.ts";
import type { Address, Round, Validator, ValidatorSet } from "./types.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** A change of one validator's power; 0 removes it. */
export interface ValidatorUpdate {
  readonly address: Address;
  readonly power: bigint;
}

export type ValidatorSetErrorCode =
  | "duplicate"
  | "power"
  | "powerTotal"
  | "unknown"
  | "empty"
  | "times";

/** A refused set or update; nothing has changed. */
export class ValidatorSetError extends Error {
  readonly code: ValidatorSetErrorCode;

  constructor(code: ValidatorSetErrorCode, message: string) {
    super(message);
    this.name = "ValidatorSetError";
    this.code = code;
  }
}

/**
 * A new set from genesis (or InitChain): every validator enters with the newcomer's priority, then one increment.
 * Throws ValidatorSetError on an empty list, a duplicate address, a power below 1 or a total above POWER_TOTAL_MAX.
 */
export function createValidatorSet(updates: readonly ValidatorUpdate[]): ValidatorSet {
  const removal = updates.find((update) => update.power === 0n);
  if (removal !== undefined) {
    throw new ValidatorSetError(
      "power",
      `expected a power of at least 1 for new validator ${removal.address}, got 0`,
    );
  }
  const nothing: ValidatorSet = { validators: [], totalPower: 0n, proposer: "" };
  return incrementProposerPriority(applyUpdates(nothing, updates), 1);
}

/**
 * The set after `times` turns of the rotation (≥ 1); `proposer` is the one elected last. Rescaling and centring run once per call.
 * Throws ValidatorSetError on an empty set or a `times` below 1.
 */
export function incrementProposerPriority(set: ValidatorSet, times: number): ValidatorSet {
  if (!Number.isSafeInteger(times) || times < 1) {
    throw new ValidatorSetError("times", `expected at least one turn, got ${times}`);
  }
  const rotation = createRotation(set);
  for (let turn = 1; turn < times; turn += 1) rotation.turn();
  const proposer = rotation.turn();
  return { validators: rotation.validators(), totalPower: set.totalPower, proposer };
}

/** The proposer of a round of the set's height: a copy of the set incremented `round` times. Linear in `round`. */
export function proposerAt(set: ValidatorSet, round: Round): Address {
  return round === 0 ? set.proposer : incrementProposerPriority(set, round).proposer;
}

/** Remembers the proposers of a height's rounds, so that each round costs one turn. `round` must be at most ROUND_MAX. */
export interface ProposerSchedule {
  proposerAt(round: Round): Address;
}

export function createProposerSchedule(set: ValidatorSet): ProposerSchedule {
  const proposers: Address[] = [set.proposer];
  const rotation = createRotation(set);
  return {
    proposerAt(round) {
      const wanted = round > ROUND_MAX ? ROUND_MAX : round;
      while (proposers.length <= wanted) proposers.push(rotation.turn());
      return proposers[wanted] ?? set.proposer;
    },
  };
}

/**
 * The set after changes of power, order of `updates` irrelevant. Newcomers start at −1.125 × the total after updates and before
 * removals, so that leaving and coming back never wins a turn; changed validators keep their priority. `proposer` stays until the
 * next increment, or is the highest priority left if it was removed. Throws ValidatorSetError and changes nothing on a
 * duplicate, a power out of range, the removal of a stranger, an empty result or a total above POWER_TOTAL_MAX.
 */
export function applyUpdates(set: ValidatorSet, updates: readonly ValidatorUpdate[]): ValidatorSet {
  if (updates.length === 0 && set.validators.length > 0) return set;
  const changes = changesByAddress(updates);
  const known = new Map(set.validators.map((validator) => [validator.address, validator]));
  let added = 0;
  let removed = 0;
  let removedPower = 0n;
  let powerBeforeRemovals = set.totalPower;
  for (const { address, power } of changes.values()) {
    const current = known.get(address);
    if (power > 0n) {
      if (current === undefined) added += 1;
      powerBeforeRemovals += power - (current?.power ?? 0n);
    } else if (current === undefined) {
      throw new ValidatorSetError(
        "unknown",
        `expected a validator of the set to remove, got ${address}`,
      );
    } else {
      removed += 1;
      removedPower += current.power;
    }
  }
  if (set.validators.length + added === removed) {
    throw new ValidatorSetError("empty", "expected at least one validator, got an empty set");
  }
  const totalPower = powerBeforeRemovals - removedPower;
  if (totalPower > POWER_TOTAL_MAX) {
    throw new ValidatorSetError(
      "powerTotal",
      `expected a total power of at most ${POWER_TOTAL_MAX}, got ${totalPower}`,
    );
  }
  const newcomerPriority = -(powerBeforeRemovals + (powerBeforeRemovals >> 3n));
  const merged = new Map(known);
  for (const { address, power } of changes.values()) {
    if (power === 0n) merged.delete(address);
    else
      merged.set(address, {
        address,
        power,
        priority: known.get(address)?.priority ?? newcomerPriority,
      });
  }
  const validators = centre(rescale([...merged.values()].toSorted(byPowerThenAddress), totalPower));
  const proposer = merged.has(set.proposer) ? set.proposer : highestPriority(validators).address;
  return { validators, totalPower, proposer };
}

/** The order of the set's hash and of commit signatures: descending power, then ascending address. */
export function byPowerThenAddress(a: ValidatorUpdate, b: ValidatorUpdate): number {
  if (a.power !== b.power) return a.power > b.power ? -1 : 1;
  if (a.address === b.address) return 0;
  return a.address < b.address ? -1 : 1;
}

function changesByAddress(updates: readonly ValidatorUpdate[]): Map<Address, ValidatorUpdate> {
  const changes = new Map<Address, ValidatorUpdate>();
  for (const update of updates) {
    if (changes.has(update.address)) {
      throw new ValidatorSetError(
        "duplicate",
        `expected one update per validator, got two for ${update.address}`,
      );
    }
    if (update.power < 0n || update.power > POWER_TOTAL_MAX) {
      const message = `expected a power between 0 and ${POWER_TOTAL_MAX} for ${update.address}, got ${update.power}`;
      throw new ValidatorSetError("power", message);
    }
    changes.set(update.address, update);
  }
  return changes;
}

interface Rotation {
  /** One election; returns the proposer. */
  turn(): Address;
  validators(): readonly Validator[];
}

/** Rescales and centres at once; the turns that follow only add, elect and subtract. */
function createRotation(set: ValidatorSet): Rotation {
  if (set.validators.length === 0)
    throw new ValidatorSetError("empty", "expected at least one validator, got an empty set");
  let validators = centre(rescale(set.validators, set.totalPower));
  return {
    turn() {
      const raised = validators.map((validator) =>
        withPriority(validator, validator.priority + validator.power),
      );
      const elected = highestPriority(raised).address;
      validators = raised.map((validator) =>
        validator.address === elected
          ? withPriority(validator, validator.priority - set.totalPower)
          : validator,
      );
      return elected;
    },
    validators: () => validators,
  };
}

function rescale(validators: readonly Validator[], totalPower: bigint): readonly Validator[] {
  const spreadMax = PRIORITY_WINDOW_FACTOR * totalPower;
  const spread = prioritySpread(validators);
  if (spreadMax <= 0n || spread <= spreadMax) return validators;
  const ratio = divideUp(spread, spreadMax);
  return validators.map((validator) =>
    withPriority(validator, divideTowardZero(validator.priority, ratio)),
  );
}

function centre(validators: readonly Validator[]): readonly Validator[] {
  let sum = 0n;
  for (const validator of validators) sum += validator.priority;
  const average = divideFloor(sum, BigInt(validators.length));
  return validators.map((validator) => withPriority(validator, validator.priority - average));
}

function prioritySpread(validators: readonly Validator[]): bigint {
  let max = INT64_MIN;
  let min = INT64_MAX;
  for (const { priority } of validators) {
    if (priority > max) max = priority;
    if (priority < min) min = priority;
  }
  return max - min;
}

/** A tie goes to the lower address. */
function highestPriority(validators: readonly Validator[]): Validator {
  return validators.reduce((best, validator) => {
    if (validator.priority !== best.priority)
      return validator.priority > best.priority ? validator : best;
    return validator.address < best.address ? validator : best;
  });
}

function withPriority(validator: Validator, priority: bigint): Validator {
  return { address: validator.address, power: validator.power, priority: saturate(priority) };
}

function saturate(value: bigint): bigint {
  if (value > INT64_MAX) return INT64_MAX;
  return value < INT64_MIN ? INT64_MIN : value;
}

/** Positive operands only. */
function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function divideTowardZero(dividend: bigint, divisor: bigint): bigint {
  return dividend / divisor;
}

/** Positive divisor only. */
function divideFloor(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}
