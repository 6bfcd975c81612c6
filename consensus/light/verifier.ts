/**
 * Light client header verification: from a trusted header to a newer one, next to it or far from it, inside the trusting period.
 * Pure: the caller says what time it is and how signatures are checked.
 */

import { equalBytes } from "@keel/proto/bytes/compare";
import { addNanos, compareTimestamps, type Timestamp } from "@keel/proto/bytes/timestamp";
import type { VerifySignature } from "../wire/ed25519.ts";
import { headerHash, headerProblem } from "../wire/header.ts";
import { lightBlockProblem } from "../wire/light-block.ts";
import type { Header, LightBlock, SignedHeader, ValidatorSetInfo } from "../wire/types.ts";
import { validatorsHash } from "../wire/validator-set.ts";
import {
  type CommitError,
  defaultTrustLevel,
  isTrustLevel,
  type TrustLevel,
  verifyCommitLight,
  verifyCommitLightTrusting,
} from "../wire/verify-commit.ts";

export type LightError =
  | CommitError
  | "invalid-header"
  | "wrong-chain"
  | "wrong-height"
  | "wrong-time"
  | "trust-expired"
  | "wrong-validators"
  /** Too little of the trusted set signed: verify a header in between first. */
  | "cannot-trust";

export interface LightRefusal {
  readonly code: LightError;
  readonly message: string;
}

export interface LightOptions {
  /** How long after its time a header may be trusted; well below the unbonding period. */
  readonly trustingPeriodNanos: bigint;
  /** The verifier's clock. */
  readonly now: Timestamp;
  /** How far ahead of `now` a header's time may lie; CometBFT's default is 10 s. */
  readonly maxClockDriftNanos: bigint;
  /** For headers that are not adjacent. */
  readonly trustLevel?: TrustLevel;
  readonly verifySignature: VerifySignature;
}

/** CometBFT's defaults: 10 s of drift, one third of trust. */
export const defaultMaxClockDriftNanos = 10_000_000_000n;

export interface Trusted {
  readonly signedHeader: SignedHeader;
  /** The set that signs the height after the trusted one: its hash is the header's `nextValidatorsHash`. */
  readonly nextValidators: ValidatorSetInfo;
}

/** Null when `untrusted` follows from `trusted`; picks the adjacent or the skipping rule by height. */
export function verifyHeader(
  trusted: Trusted,
  untrusted: LightBlock,
  options: LightOptions,
): LightRefusal | null {
  const next = trusted.signedHeader.header.height + 1;
  return untrusted.signedHeader.header.height === next
    ? verifyAdjacent(trusted.signedHeader, untrusted, options)
    : verifyNonAdjacent(trusted, untrusted, options);
}

/** The next height: the trusted header already names its validators, so only their two thirds are needed. */
export function verifyAdjacent(
  trusted: SignedHeader,
  untrusted: LightBlock,
  options: LightOptions,
): LightRefusal | null {
  const expected = trusted.header.height + 1;
  const { header } = untrusted.signedHeader;
  if (header.height !== expected) {
    return refuse("wrong-height", `expected height ${expected}, got ${header.height}`);
  }
  const refused = commonRefusal(trusted, untrusted, options);
  if (refused !== null) return refused;
  if (!equalBytes(header.validatorsHash, trusted.header.nextValidatorsHash)) {
    return refuse("wrong-validators", "expected the validators the trusted header names next");
  }
  return ownCommitRefusal(untrusted, options);
}

/** A later height: enough of the trusted set, and two thirds of the new one, must have signed it. */
export function verifyNonAdjacent(
  trusted: Trusted,
  untrusted: LightBlock,
  options: LightOptions,
): LightRefusal | null {
  const { header } = trusted.signedHeader;
  const { commit, header: newer } = untrusted.signedHeader;
  if (newer.height === header.height + 1) {
    return refuse("wrong-height", "expected a header that is not adjacent");
  }
  const level = options.trustLevel ?? defaultTrustLevel;
  if (!isTrustLevel(level))
    return refuse("invalid-trust-level", "expected a trust level of 1/3 to 1");
  const known = trusted.nextValidators.validators;
  if (!equalBytes(validatorsHash(known), header.nextValidatorsHash)) {
    return refuse("wrong-validators", "expected the trusted header's next validators");
  }
  const refused = commonRefusal(trusted.signedHeader, untrusted, options);
  if (refused !== null) return refused;
  const { verifySignature } = options;
  const check = { chainId: header.chainId, validators: known, commit, verifySignature };
  const distrust = verifyCommitLightTrusting(check, level);
  if (distrust !== null) {
    return distrust.code === "not-enough-power"
      ? refuse("cannot-trust", distrust.message)
      : distrust;
  }
  // Last, since the new set is the stranger's and may be large on purpose.
  return ownCommitRefusal(untrusted, options);
}

/** A header one below a trusted one: its hash must be the one the trusted header points back to. */
export function verifyBackwards(untrusted: Header, trusted: Header): LightRefusal | null {
  const problem = headerProblem(untrusted);
  if (problem !== null) return refuse("invalid-header", problem);
  if (untrusted.chainId !== trusted.chainId)
    return refuse("wrong-chain", `expected chain ${trusted.chainId}`);
  if (untrusted.height !== trusted.height - 1) {
    return refuse("wrong-height", `expected height ${trusted.height - 1}, got ${untrusted.height}`);
  }
  if (compareTimestamps(untrusted.time, trusted.time) >= 0) {
    return refuse("wrong-time", "expected an earlier time than the trusted header's");
  }
  return equalBytes(headerHash(untrusted), trusted.lastBlockId.hash)
    ? null
    : refuse("invalid-header", "expected the header that the trusted one follows");
}

/** True once the trusting period after the header's time is over. */
export function isExpired(header: Header, trustingPeriodNanos: bigint, now: Timestamp): boolean {
  return compareTimestamps(addNanos(header.time, trustingPeriodNanos), now) <= 0;
}

function commonRefusal(
  trusted: SignedHeader,
  untrusted: LightBlock,
  options: LightOptions,
): LightRefusal | null {
  const { header } = untrusted.signedHeader;
  const before = trusted.header;
  if (isExpired(before, options.trustingPeriodNanos, options.now)) {
    return refuse("trust-expired", `height ${before.height} is older than the trusting period`);
  }
  if (header.chainId !== before.chainId) {
    return refuse("wrong-chain", `expected chain ${before.chainId}, got ${header.chainId}`);
  }
  const problem = lightBlockProblem(untrusted);
  if (problem !== null) return refuse("invalid-header", problem);
  if (header.height <= before.height) {
    return refuse("wrong-height", `expected a height above ${before.height}, got ${header.height}`);
  }
  if (compareTimestamps(header.time, before.time) <= 0) {
    return refuse("wrong-time", "expected a later time than the trusted header's");
  }
  if (compareTimestamps(header.time, addNanos(options.now, options.maxClockDriftNanos)) >= 0) {
    return refuse("wrong-time", "expected a time that is not in the future");
  }
  return null;
}

function ownCommitRefusal(untrusted: LightBlock, options: LightOptions): LightRefusal | null {
  const { header, commit } = untrusted.signedHeader;
  const { verifySignature } = options;
  const { validators } = untrusted.validatorSet;
  return verifyCommitLight(
    { chainId: header.chainId, validators, commit, verifySignature },
    { height: header.height, blockId: commit.blockId },
  );
}

function refuse(code: LightError, message: string): LightRefusal {
  return { code, message: `light: ${message}` };
}
