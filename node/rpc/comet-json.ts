/**
 * CometBFT 0.38's JSON of its own types: int64 as strings, int32 as numbers, hashes in upper-case hex, bytes in base64, times with
 * nanoseconds, nil slices null.
 */
import type {
  CheckTxResult,
  FinalizeBlockResponse,
  QueryResponse,
} from "@keel/consensus/host/ports";
import type { Event, ExecTxResult, ValidatorUpdate } from "@keel/consensus/wire/abci";
import type {
  Block,
  BlockID,
  Commit,
  CommitSig,
  ConsensusParams,
  Header,
  ValidatorInfo,
} from "@keel/consensus/wire/types";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { formatTimestamp } from "@keel/proto/bytes/timestamp";

type Json = Record<string, unknown>;

const FLAG = { absent: 1, commit: 2, nil: 3 } as const;

export function base64OrNull(bytes: Uint8Array): string | null {
  return bytes.length === 0 ? null : bytesToBase64(bytes);
}

export function blockIdJson(id: BlockID): Json {
  return {
    hash: bytesToHex(id.hash),
    parts: { total: id.partSetHeader.total, hash: bytesToHex(id.partSetHeader.hash) },
  };
}

export function headerJson(header: Header): Json {
  const version: Json = { block: header.version.block.toString() };
  if (header.version.app !== 0n) version["app"] = header.version.app.toString();
  return {
    version,
    chain_id: header.chainId,
    height: header.height.toString(),
    time: formatTimestamp(header.time),
    last_block_id: blockIdJson(header.lastBlockId),
    last_commit_hash: bytesToHex(header.lastCommitHash),
    data_hash: bytesToHex(header.dataHash),
    validators_hash: bytesToHex(header.validatorsHash),
    next_validators_hash: bytesToHex(header.nextValidatorsHash),
    consensus_hash: bytesToHex(header.consensusHash),
    app_hash: bytesToHex(header.appHash),
    last_results_hash: bytesToHex(header.lastResultsHash),
    evidence_hash: bytesToHex(header.evidenceHash),
    proposer_address: bytesToHex(header.proposerAddress),
  };
}

function commitSigJson(sig: CommitSig): Json {
  return {
    block_id_flag: FLAG[sig.flag],
    validator_address: bytesToHex(sig.validatorAddress),
    timestamp: formatTimestamp(sig.timestamp),
    signature: base64OrNull(sig.signature),
  };
}

export function commitJson(commit: Commit): Json {
  return {
    height: commit.height.toString(),
    round: commit.round,
    block_id: blockIdJson(commit.blockId),
    signatures: commit.signatures.map(commitSigJson),
  };
}

export function blockJson(block: Block): Json {
  return {
    header: headerJson(block.header),
    data: { txs: block.txs.map(bytesToBase64) },
    evidence: { evidence: block.evidence.map(evidenceJson) },
    last_commit: commitJson(block.lastCommit),
  };
}

function evidenceJson(evidence: Block["evidence"][number]): Json {
  if (evidence.kind === "lightClientAttack") {
    return {
      type: "tendermint/LightClientAttackEvidence",
      value: {
        CommonHeight: evidence.commonHeight.toString(),
        TotalVotingPower: evidence.totalVotingPower.toString(),
        Timestamp: formatTimestamp(evidence.timestamp),
      },
    };
  }
  const vote = (v: typeof evidence.voteA): Json => ({
    type: v.type === "prevote" ? 1 : 2,
    height: v.height.toString(),
    round: v.round,
    block_id: blockIdJson(v.blockId),
    timestamp: formatTimestamp(v.timestamp),
    validator_address: bytesToHex(v.validatorAddress),
    validator_index: v.validatorIndex,
    signature: base64OrNull(v.signature),
    extension: base64OrNull(v.extension),
    extension_signature: base64OrNull(v.extensionSignature),
  });
  return {
    type: "tendermint/DuplicateVoteEvidence",
    value: {
      vote_a: vote(evidence.voteA),
      vote_b: vote(evidence.voteB),
      TotalVotingPower: evidence.totalVotingPower.toString(),
      ValidatorPower: evidence.validatorPower.toString(),
      Timestamp: formatTimestamp(evidence.timestamp),
    },
  };
}

export function validatorJson(validator: ValidatorInfo): Json {
  return {
    address: bytesToHex(validator.address),
    pub_key: { type: "tendermint/PubKeyEd25519", value: bytesToBase64(validator.pubKey) },
    voting_power: validator.power.toString(),
    proposer_priority: validator.priority.toString(),
  };
}

export function consensusParamsJson(params: ConsensusParams): Json {
  return {
    block: { max_bytes: params.block.maxBytes.toString(), max_gas: params.block.maxGas.toString() },
    evidence: {
      max_age_num_blocks: params.evidence.maxAgeNumBlocks.toString(),
      max_age_duration: params.evidence.maxAgeDurationNanos.toString(),
      max_bytes: params.evidence.maxBytes.toString(),
    },
    validator: { pub_key_types: params.validator.pubKeyTypes },
    version: params.version.app === 0n ? {} : { app: params.version.app.toString() },
    abci: { vote_extensions_enable_height: params.abci.voteExtensionsEnableHeight.toString() },
  };
}

// ABCI answers go through jsonpb: defaults are written, empty bytes are null.

export function eventJson(event: Event): Json {
  return {
    type: event.type,
    attributes: event.attributes.map(({ key, value, index }) => ({ key, value, index })),
  };
}

export function txResultJson(result: ExecTxResult | CheckTxResult): Json {
  return {
    code: result.code,
    data: base64OrNull(result.data),
    log: result.log,
    info: result.info,
    gas_wanted: result.gasWanted.toString(),
    gas_used: result.gasUsed.toString(),
    events: result.events.map(eventJson),
    codespace: result.codespace,
  };
}

function validatorUpdateJson(update: ValidatorUpdate): Json {
  const pub_key = {
    Sum: {
      type: "tendermint.crypto.PublicKey_Ed25519",
      value: { ed25519: bytesToBase64(update.pubKey) },
    },
  };
  return update.power === 0n ? { pub_key } : { pub_key, power: update.power.toString() };
}

const nullIfEmpty = <T>(items: readonly T[]): readonly T[] | null =>
  items.length === 0 ? null : items;

export function blockResultsJson(height: number, response: FinalizeBlockResponse): Json {
  return {
    height: height.toString(),
    txs_results: nullIfEmpty(response.txResults.map(txResultJson)),
    finalize_block_events: nullIfEmpty(response.events.map(eventJson)),
    validator_updates: nullIfEmpty(response.validatorUpdates.map(validatorUpdateJson)),
    consensus_param_updates: null,
    app_hash: bytesToBase64(response.appHash),
  };
}

export function finalizeBlockJson(response: FinalizeBlockResponse): Json {
  return {
    events: response.events.map(eventJson),
    tx_results: response.txResults.map(txResultJson),
    validator_updates: response.validatorUpdates.map(validatorUpdateJson),
    consensus_param_updates: null,
    app_hash: base64OrNull(response.appHash),
  };
}

export function queryResponseJson(response: QueryResponse): Json {
  return {
    code: response.code,
    log: response.log,
    info: response.info,
    index: response.index.toString(),
    key: base64OrNull(response.key),
    value: base64OrNull(response.value),
    proofOps:
      response.proofOps === null
        ? null
        : {
            ops: response.proofOps.map((op) => ({
              type: op.type,
              key: base64OrNull(op.key),
              data: base64OrNull(op.data),
            })),
          },
    height: response.height.toString(),
    codespace: response.codespace,
  };
}
