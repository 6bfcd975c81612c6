/** A small signed world for tests: keyed validators, votes, commits and chained headers. Used by tests only. */

import { hexToBytes } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import type { Timestamp } from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { extendedCommitFromVotes, stripExtensions } from "../commit.ts";
import { ed25519PublicKey, ed25519Sign } from "../ed25519.ts";
import { headerHash } from "../header.ts";
import { ed25519Address } from "../keys.ts";
import { consensusHash, defaultConsensusParams } from "../params.ts";
import { voteExtensionSignBytes, voteSignBytes } from "../sign-bytes.ts";
import type { BlockID, Commit, Header, ValidatorInfo, ValidatorSetInfo, Vote } from "../types.ts";
import { compareValidators, validatorsHash } from "../validator-set.ts";

export const chainId = "keel-test-1";
export const startTime: Timestamp = { seconds: 1_700_000_000n, nanos: 5 };

export interface TestValidators {
  readonly set: ValidatorSetInfo;
  readonly validators: readonly ValidatorInfo[];
  /** Seed of the validator at each index. */
  readonly seeds: readonly Uint8Array[];
}

export function hashOf(text: string): Uint8Array {
  return sha256(utf8ToBytes(text));
}

/** Validators of the given powers; `name` separates one set's keys from another's. */
export function makeValidators(
  powers: readonly bigint[],
  name: string = "validator",
): TestValidators {
  const keyed = powers
    .map((power, i) => {
      const seed = hashOf(`${name} ${i}`);
      const pubKey = ed25519PublicKey(seed);
      return { seed, info: { address: ed25519Address(pubKey), pubKey, power, priority: 0n } };
    })
    .sort((a, b) => compareValidators(a.info, b.info));
  const validators = keyed.map(({ info }) => info);
  return {
    validators,
    set: { validators, proposer: validators[0] ?? null },
    seeds: keyed.map(({ seed }) => seed),
  };
}

export function blockIdOf(text: string): BlockID {
  return { hash: hashOf(text), partSetHeader: { total: 1, hash: hashOf(`parts of ${text}`) } };
}

export interface VoteRequest extends Partial<Vote> {
  readonly index: number;
  readonly extended?: boolean;
}

/** A signed precommit (unless said otherwise) of the validator at `index`. */
export function signVote(world: TestValidators, request: VoteRequest): Vote {
  const { index, extended, ...given } = request;
  const validator = world.validators[index] as ValidatorInfo;
  const seed = world.seeds[index] as Uint8Array;
  const unsigned: Vote = {
    type: "precommit",
    height: 5,
    round: 0,
    blockId: blockIdOf("block"),
    timestamp: startTime,
    validatorAddress: validator.address,
    validatorIndex: index,
    extension: new Uint8Array(0),
    ...given,
    signature: new Uint8Array(0),
    extensionSignature: new Uint8Array(0),
  };
  return {
    ...unsigned,
    signature: ed25519Sign(seed, voteSignBytes(chainId, unsigned)),
    extensionSignature:
      extended === true
        ? ed25519Sign(seed, voteExtensionSignBytes(chainId, unsigned))
        : unsigned.extensionSignature,
  };
}

/** Commit for `blockId` by the validators of `signers`. */
export function signCommit(
  world: TestValidators,
  target: { readonly height: number; readonly blockId: BlockID; readonly timestamp?: Timestamp },
  signers: readonly number[] = world.validators.map((_, index) => index),
): Commit {
  const { height, blockId, timestamp = startTime } = target;
  const precommits = signers.map((index) => signVote(world, { index, height, blockId, timestamp }));
  return stripExtensions(
    extendedCommitFromVotes({
      height,
      round: 0,
      blockId,
      validators: world.validators,
      precommits,
    }),
  );
}

/** A valid header by itself; `given` overrides. */
export function makeHeader(world: TestValidators, given: Partial<Header> = {}): Header {
  return {
    version: { block: 11n, app: 1n },
    chainId,
    height: 5,
    time: startTime,
    lastBlockId: blockIdOf("block before"),
    lastCommitHash: hashOf("last commit"),
    dataHash: hashOf("data"),
    validatorsHash: validatorsHash(world.validators),
    nextValidatorsHash: validatorsHash(world.validators),
    consensusHash: consensusHash(defaultConsensusParams),
    appHash: hashOf("app"),
    lastResultsHash: hashOf("results"),
    evidenceHash: hexToBytes("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    proposerAddress: (world.validators[0] as ValidatorInfo).address,
    ...given,
  };
}

/** BlockID of a header whose parts do not matter. */
export function blockIdOfHeader(header: Header): BlockID {
  return { hash: headerHash(header), partSetHeader: { total: 1, hash: hashOf("parts") } };
}
