/** Consensus parameters as genesis and RPC write them: every 64-bit number a decimal string, durations in nanoseconds. */

import { DecodeError } from "@keel/proto/bytes/decode-error";
import { integerText, list, object, safeInteger, text } from "./json.ts";
import { defaultConsensusParams } from "./params.ts";
import type { ConsensusParams } from "./types.ts";

export interface ConsensusParamsJson {
  readonly block: { readonly max_bytes: string; readonly max_gas: string };
  readonly evidence: {
    readonly max_age_num_blocks: string;
    readonly max_age_duration: string;
    readonly max_bytes: string;
  };
  readonly validator: { readonly pub_key_types: readonly string[] };
  readonly version: { readonly app: string };
  readonly abci: { readonly vote_extensions_enable_height: string };
}

export function consensusParamsToJson(params: ConsensusParams): ConsensusParamsJson {
  const { block, evidence, validator, version, abci } = params;
  return {
    block: { max_bytes: block.maxBytes.toString(), max_gas: block.maxGas.toString() },
    evidence: {
      max_age_num_blocks: evidence.maxAgeNumBlocks.toString(),
      max_age_duration: evidence.maxAgeDurationNanos.toString(),
      max_bytes: evidence.maxBytes.toString(),
    },
    validator: { pub_key_types: validator.pubKeyTypes },
    version: { app: version.app.toString() },
    abci: { vote_extensions_enable_height: abci.voteExtensionsEnableHeight.toString() },
  };
}

/** Parameters of their JSON; throws `DecodeError`. `version` and `abci`, which older files lack, default to 0. */
export function consensusParamsFromJson(json: unknown): ConsensusParams {
  const where = "consensus_params";
  const params = object(where, json, ["block", "evidence", "validator", "version", "abci"]);
  const block = object(`${where}.block`, params["block"], ["max_bytes", "max_gas"]);
  const evidence = object(`${where}.evidence`, params["evidence"], [
    "max_age_num_blocks",
    "max_age_duration",
    "max_bytes",
  ]);
  const validator = object(`${where}.validator`, params["validator"], ["pub_key_types"]);
  const version = object(`${where}.version`, params["version"] ?? {}, ["app"]);
  const abci = object(`${where}.abci`, params["abci"] ?? {}, ["vote_extensions_enable_height"]);
  const int = (name: string, value: unknown): bigint => integerText(`${where}.${name}`, value);
  const app = int("version.app", version["app"] ?? "0");
  if (app < 0n)
    throw new DecodeError("out-of-range", `${where}.version.app: expected 0 or more, got ${app}`);
  return {
    block: {
      maxBytes: int("block.max_bytes", block["max_bytes"]),
      maxGas: int("block.max_gas", block["max_gas"]),
    },
    evidence: {
      maxAgeNumBlocks: int("evidence.max_age_num_blocks", evidence["max_age_num_blocks"]),
      maxAgeDurationNanos: int("evidence.max_age_duration", evidence["max_age_duration"]),
      maxBytes: int(
        "evidence.max_bytes",
        evidence["max_bytes"] ?? defaultConsensusParams.evidence.maxBytes.toString(),
      ),
    },
    validator: {
      pubKeyTypes: list(`${where}.validator.pub_key_types`, validator["pub_key_types"], 16).map(
        (type) => text(`${where}.validator.pub_key_types`, type),
      ),
    },
    version: { app },
    abci: {
      voteExtensionsEnableHeight: safeInteger(
        `${where}.abci.vote_extensions_enable_height`,
        abci["vote_extensions_enable_height"] ?? "0",
      ),
    },
  };
}
