/**
 * Commit verification in CometBFT's modes. "full" is for the last commit of a block: every signature, nil ones too, must hold, since
 * rewards and time are made from them. The light modes look only at signatures for the block.
 */

import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { equalBlockIds } from "./block-id.ts";
import { commitSigProblem } from "./commit.ts";
import type { VerifySignature } from "./ed25519.ts";
import { commitSignBytes } from "./sign-bytes.ts";
import type { BlockID, Commit, ValidatorInfo } from "./types.ts";
import { totalPower } from "./validator-set.ts";

export type CommitError =
  | "wrong-height"
  | "wrong-block-id"
  | "wrong-size"
  | "malformed-signature"
  | "wrong-address"
  | "double-vote"
  | "wrong-signature"
  | "not-enough-power"
  | "invalid-trust-level";

export interface CommitRefusal {
  readonly code: CommitError;
  readonly message: string;
}

export interface CommitCheck {
  readonly chainId: string;
  /** Set of the commit's height, in order; in trusting mode an older trusted set. */
  readonly validators: readonly ValidatorInfo[];
  readonly commit: Commit;
  readonly verifySignature: VerifySignature;
}

/** What the commit must be for. */
export interface CommitTarget {
  readonly height: number;
  readonly blockId: BlockID;
}

/** Part of the trusted power that must have signed; CometBFT's default is one third. */
export interface TrustLevel {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const defaultTrustLevel: TrustLevel = { numerator: 1n, denominator: 3n };

interface Mode {
  /** Signatures for nil are checked (and count nothing). */
  readonly nilToo: boolean;
  /** Goes on after the needed power is reached. */
  readonly all: boolean;
  readonly lookup: "index" | "address";
  /** Power that must be strictly exceeded. */
  readonly needed: bigint;
}

/** All signatures, more than two thirds for the block; null when it holds. For the last commit of a block. */
export function verifyCommitFull(check: CommitCheck, target: CommitTarget): CommitRefusal | null {
  return (
    targetRefusal(check, target) ??
    tally(check, { nilToo: true, all: true, lookup: "index", needed: twoThirds(check.validators) })
  );
}

/** More than two thirds for the block. With `all` every signature for the block must hold, as evidence requires. */
export function verifyCommitLight(
  check: CommitCheck,
  target: CommitTarget,
  all: boolean = false,
): CommitRefusal | null {
  return (
    targetRefusal(check, target) ??
    tally(check, { nilToo: false, all, lookup: "index", needed: twoThirds(check.validators) })
  );
}

/** More than `level` of an older set's power, looked up by address; signers unknown to it are skipped. */
export function verifyCommitLightTrusting(
  check: CommitCheck,
  level: TrustLevel = defaultTrustLevel,
  all: boolean = false,
): CommitRefusal | null {
  if (!isTrustLevel(level)) {
    return refuse(
      "invalid-trust-level",
      `expected 1/3 to 1, got ${level.numerator}/${level.denominator}`,
    );
  }
  const needed = (totalPower(check.validators) * level.numerator) / level.denominator;
  return tally(check, { nilToo: false, all, lookup: "address", needed });
}

/** Below one third a header could be trusted without one correct signer. */
export function isTrustLevel({ numerator, denominator }: TrustLevel): boolean {
  return denominator > 0n && numerator * 3n >= denominator && numerator <= denominator;
}

/** Rounded down; a quorum is strictly more. */
function twoThirds(validators: readonly ValidatorInfo[]): bigint {
  return (totalPower(validators) * 2n) / 3n;
}

function refuse(code: CommitError, message: string): CommitRefusal {
  return { code, message: `commit: ${message}` };
}

function targetRefusal(
  { commit, validators }: CommitCheck,
  target: CommitTarget,
): CommitRefusal | null {
  if (commit.signatures.length !== validators.length) {
    return refuse(
      "wrong-size",
      `expected ${validators.length} signatures, got ${commit.signatures.length}`,
    );
  }
  if (commit.height !== target.height) {
    return refuse("wrong-height", `expected height ${target.height}, got ${commit.height}`);
  }
  return equalBlockIds(commit.blockId, target.blockId)
    ? null
    : refuse("wrong-block-id", "expected another block id");
}

function tally(check: CommitCheck, mode: Mode): CommitRefusal | null {
  const { commit, validators } = check;
  const byAddress = mode.lookup === "address" ? addressIndex(validators) : null;
  const seen = new Set<number>();
  let power = 0n;
  for (const [at, signature] of commit.signatures.entries()) {
    if (signature.flag === "absent" || (signature.flag === "nil" && !mode.nilToo)) continue;
    const problem = commitSigProblem(signature);
    if (problem !== null) return refuse("malformed-signature", `signature ${at}: ${problem}`);
    const index = byAddress === null ? at : byAddress.get(bytesToHex(signature.validatorAddress));
    const validator = index === undefined ? undefined : validators[index];
    if (index === undefined || validator === undefined) {
      // By index the sizes were compared before; by address an unknown signer says nothing.
      continue;
    }
    // Median time looks validators up by address, so an entry must not borrow another's.
    if (byAddress === null && !equalBytes(validator.address, signature.validatorAddress)) {
      return refuse("wrong-address", `signature ${at}: expected the address of validator ${at}`);
    }
    if (seen.has(index))
      return refuse("double-vote", `signature ${at}: expected each validator once`);
    seen.add(index);
    const signed = commitSignBytes(check.chainId, commit, at);
    if (!check.verifySignature(validator.pubKey, signed, signature.signature)) {
      return refuse("wrong-signature", `signature ${at}: expected a valid signature`);
    }
    if (signature.flag === "commit") power += validator.power;
    if (!mode.all && power > mode.needed) return null;
  }
  return power > mode.needed
    ? null
    : refuse("not-enough-power", `expected power above ${mode.needed}, got ${power}`);
}

function addressIndex(validators: readonly ValidatorInfo[]): ReadonlyMap<string, number> {
  return new Map(validators.map((validator, index) => [bytesToHex(validator.address), index]));
}
