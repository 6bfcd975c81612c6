/** Header, commit and validators of a height, from CosmJS's types to those the verifier checks. */
import {
  BlockIdFlag,
  type Comet38Client,
  type comet38,
  type ReadonlyDateWithNanoseconds,
} from "@cosmjs/tendermint-rpc";
import type {
  BlockID,
  BlockIDFlag,
  Commit,
  CommitSig,
  Header,
  LightBlock,
  ValidatorInfo,
} from "@keel/consensus/wire/types";
import { type Timestamp, zeroTime } from "@keel/proto/bytes/timestamp";
import { KeelConnectionError } from "./errors.ts";

const none: Uint8Array = new Uint8Array(0);
const zeroBlockId: BlockID = { hash: none, partSetHeader: { total: 0, hash: none } };

/** Nothing of the answer is believed yet. */
export async function fetchLightBlock(comet: Comet38Client, height: number): Promise<LightBlock> {
  const { header, commit } = await comet.commit(height);
  const { validators } = await comet.validatorsAll(height);
  const infos = validators.map(validatorInfo);
  const proposer = infos.find(({ address }) => address.length > 0) ?? null;
  if (proposer === null)
    throw new KeelConnectionError("bad-answer", `expected validators at height ${height}`);
  return {
    signedHeader: { header: readHeader(header), commit: readCommit(commit) },
    validatorSet: { validators: infos, proposer },
  };
}

function readHeader(header: comet38.Header): Header {
  const { version, chainId, height, time, lastBlockId, ...hashes } = header;
  return {
    ...hashes,
    version: { block: BigInt(version.block), app: BigInt(version.app) },
    chainId,
    height,
    time: readTime(time),
    lastBlockId: lastBlockId === null ? zeroBlockId : readBlockId(lastBlockId),
  };
}

function readBlockId({ hash, parts }: comet38.BlockId): BlockID {
  return { hash, partSetHeader: { total: parts.total, hash: parts.hash } };
}

function readCommit({ height, round, blockId, signatures }: comet38.Commit): Commit {
  return {
    height,
    round,
    blockId: readBlockId(blockId),
    signatures: signatures.map(
      (each): CommitSig => ({
        flag: readFlag(each.blockIdFlag),
        validatorAddress: each.validatorAddress ?? none,
        timestamp: each.timestamp === undefined ? zeroTime : readTime(each.timestamp),
        signature: each.signature ?? none,
      }),
    ),
  };
}

function readFlag(flag: BlockIdFlag): BlockIDFlag {
  if (flag === BlockIdFlag.Absent) return "absent";
  if (flag === BlockIdFlag.Commit) return "commit";
  if (flag === BlockIdFlag.Nil) return "nil";
  throw new KeelConnectionError("bad-answer", `unknown block id flag ${flag}`);
}

function validatorInfo(validator: comet38.Validator): ValidatorInfo {
  const { address, pubkey, votingPower, proposerPriority } = validator;
  if (pubkey?.algorithm !== "ed25519")
    throw new KeelConnectionError("bad-answer", "expected validators with ed25519 keys");
  return {
    address,
    pubKey: pubkey.data,
    power: votingPower,
    priority: BigInt(proposerPriority ?? 0),
  };
}

function readTime(time: ReadonlyDateWithNanoseconds): Timestamp {
  const ms = time.getTime();
  const seconds = Math.floor(ms / 1000);
  return {
    seconds: BigInt(seconds),
    nanos: (ms - seconds * 1000) * 1_000_000 + (time.nanoseconds ?? 0),
  };
}
