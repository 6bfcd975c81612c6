/** Consensus parameters: wire form, hash, defaults, rules, and how an application may change them. */

import { sha256 } from "@keel/proto/bytes/sha256";
import { count64, embedded, int64, nullable, repeatedText, uint64 } from "./fields.ts";
import { ed25519KeyName } from "./keys.ts";
import { blockBytesMax } from "./limits.ts";
import { type Message, mapped, message } from "./message.ts";
import { durationMessage } from "./timestamp.ts";
import type {
  BlockParams,
  ConsensusParams,
  ConsensusParamsUpdate,
  EvidenceParams,
} from "./types.ts";

const nanosPerHour = 3_600_000_000_000n;

/** CometBFT's defaults: 21 MiB blocks, unlimited gas, 48 h of evidence, ed25519 keys, extensions off. */
export const defaultConsensusParams: ConsensusParams = {
  block: { maxBytes: 22_020_096n, maxGas: -1n },
  evidence: {
    maxAgeNumBlocks: 100_000n,
    maxAgeDurationNanos: 48n * nanosPerHour,
    maxBytes: 1_048_576n,
  },
  validator: { pubKeyTypes: [ed25519KeyName] },
  version: { app: 0n },
  abci: { voteExtensionsEnableHeight: 0 },
};

const keyTypesMax = 16;

/** `tendermint.types.ConsensusParams`, in which every part may be missing. */
export const consensusParamsUpdateMessage: Message<ConsensusParamsUpdate> =
  message<ConsensusParamsUpdate>("ConsensusParams", {
    block: nullable(
      1,
      message<BlockParams>("BlockParams", { maxBytes: int64(1), maxGas: int64(2) }),
    ),
    evidence: nullable(
      2,
      message<EvidenceParams>("EvidenceParams", {
        maxAgeNumBlocks: int64(1),
        maxAgeDurationNanos: embedded(2, durationMessage),
        maxBytes: int64(3),
      }),
    ),
    validator: nullable(
      3,
      message<ConsensusParams["validator"]>("ValidatorParams", {
        pubKeyTypes: repeatedText(1, keyTypesMax),
      }),
    ),
    version: nullable(4, message<ConsensusParams["version"]>("VersionParams", { app: uint64(1) })),
    abci: nullable(
      5,
      message<ConsensusParams["abci"]>("ABCIParams", { voteExtensionsEnableHeight: count64(1) }),
    ),
  });

/** Complete parameters, all parts written: for storing. A missing part is read as its default. */
export const consensusParamsMessage: Message<ConsensusParams> = mapped(
  consensusParamsUpdateMessage,
  (params: ConsensusParams): ConsensusParamsUpdate => params,
  (update) => applyParamsUpdate(defaultConsensusParams, update),
);

const hashedParamsMessage = message<{ readonly maxBytes: bigint; readonly maxGas: bigint }>(
  "HashedParams",
  {
    maxBytes: int64(1),
    maxGas: int64(2),
  },
);

/** `consensus_hash`: one SHA-256, no tree, of block size and gas only. */
export function consensusHash(params: ConsensusParams): Uint8Array {
  return sha256(hashedParamsMessage.encode(params.block));
}

/** First rule the parameters break, or null. */
export function consensusParamsProblem(params: ConsensusParams): string | null {
  const { block, evidence, validator, abci } = params;
  const blockMax = BigInt(blockBytesMax);
  if (block.maxBytes !== -1n && (block.maxBytes < 1n || block.maxBytes > blockMax)) {
    return `block.max_bytes: expected -1 or 1 to ${blockMax}, got ${block.maxBytes}`;
  }
  if (block.maxGas < -1n) return `block.max_gas: expected -1 or more, got ${block.maxGas}`;
  if (evidence.maxAgeNumBlocks < 1n) {
    return `evidence.max_age_num_blocks: expected 1 or more, got ${evidence.maxAgeNumBlocks}`;
  }
  if (evidence.maxAgeDurationNanos < 1n) {
    return `evidence.max_age_duration: expected 1 or more, got ${evidence.maxAgeDurationNanos}`;
  }
  const evidenceMax = BigInt(maxBlockBytes(params));
  if (evidence.maxBytes < 0n || evidence.maxBytes > evidenceMax) {
    return `evidence.max_bytes: expected 0 to ${evidenceMax}, got ${evidence.maxBytes}`;
  }
  const { pubKeyTypes } = validator;
  if (pubKeyTypes.length === 0 || pubKeyTypes.some((type) => type !== ed25519KeyName)) {
    return `validator.pub_key_types: expected ["${ed25519KeyName}"], got ${JSON.stringify(pubKeyTypes)}`;
  }
  const height = abci.voteExtensionsEnableHeight;
  if (!Number.isSafeInteger(height) || height < 0) {
    return `abci.vote_extensions_enable_height: expected 0 or a height, got ${height}`;
  }
  return null;
}

/** Largest block in bytes, with −1 resolved. */
export function maxBlockBytes(params: Pick<ConsensusParams, "block">): number {
  return params.block.maxBytes === -1n ? blockBytesMax : Number(params.block.maxBytes);
}

/** True when precommits of `height` must carry signed extensions. */
export function extensionsEnabled(params: Pick<ConsensusParams, "abci">, height: number): boolean {
  const from = params.abci.voteExtensionsEnableHeight;
  return from !== 0 && from <= height;
}

/** Parameters with the given parts replaced. Check with `paramsUpdateProblem` first. */
export function applyParamsUpdate(
  params: ConsensusParams,
  update: ConsensusParamsUpdate,
): ConsensusParams {
  return {
    block: update.block ?? params.block,
    evidence: update.evidence ?? params.evidence,
    validator: update.validator ?? params.validator,
    version: update.version ?? params.version,
    abci: update.abci ?? params.abci,
  };
}

/** Why an update returned at `height` is refused, or null. The enable height moves only while it lies ahead, and only ahead. */
export function paramsUpdateProblem(
  params: ConsensusParams,
  update: ConsensusParamsUpdate,
  height: number,
): string | null {
  return (
    enableHeightProblem(params, update, height) ??
    consensusParamsProblem(applyParamsUpdate(params, update))
  );
}

function enableHeightProblem(
  params: ConsensusParams,
  update: ConsensusParamsUpdate,
  height: number,
): string | null {
  if (update.abci === null) return null;
  const before = params.abci.voteExtensionsEnableHeight;
  const after = update.abci.voteExtensionsEnableHeight;
  if (before === after) return null;
  if (before !== 0 && before <= height) {
    return `abci.vote_extensions_enable_height: reached at ${before}, expected it unchanged, got ${after}`;
  }
  if (after !== 0 && after <= height) {
    return `abci.vote_extensions_enable_height: expected a height above ${height}, got ${after}`;
  }
  return null;
}
