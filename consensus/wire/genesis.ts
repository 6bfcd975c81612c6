/** CometBFT's genesis document: parse, check, complete, emit. Numbers of 64 bits are decimal strings, times have nanoseconds. */

import { equalBytes } from "@keel/proto/bytes/compare";
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToHex, hexToBytes } from "@keel/proto/bytes/hex";
import {
  formatTimestamp,
  isZeroTime,
  parseTimestamp,
  type Timestamp,
} from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { integerText, type JsonObject, list, object, safeInteger, text } from "./json.ts";
import { ed25519Address, publicKeyFromJson, publicKeyToJson, type TypedKeyJson } from "./keys.ts";
import { chainIdBytesMax, commitSignaturesMax, genesisTextMax, totalPowerMax } from "./limits.ts";
import { consensusParamsProblem, defaultConsensusParams } from "./params.ts";
import {
  type ConsensusParamsJson,
  consensusParamsFromJson,
  consensusParamsToJson,
} from "./params-json.ts";
import type { ConsensusParams, ValidatorInfo } from "./types.ts";
import { compareValidators } from "./validator-set.ts";

export interface GenesisValidator {
  readonly address: Uint8Array;
  readonly pubKey: Uint8Array;
  readonly power: bigint;
  readonly name: string;
}

export interface GenesisDoc {
  readonly genesisTime: Timestamp;
  readonly chainId: string;
  readonly initialHeight: number;
  readonly consensusParams: ConsensusParams;
  /** Empty when the application names them at InitChain. */
  readonly validators: readonly GenesisValidator[];
  readonly appHash: Uint8Array;
  /** The application's own genesis, any JSON value. */
  readonly appState: unknown;
}

export interface GenesisJson {
  readonly genesis_time: string;
  readonly chain_id: string;
  readonly initial_height: string;
  readonly consensus_params: ConsensusParamsJson;
  readonly validators?: readonly GenesisValidatorJson[];
  /** Upper-case hex. */
  readonly app_hash: string;
  readonly app_state: unknown;
}

export interface GenesisValidatorJson {
  readonly address: string;
  readonly pub_key: TypedKeyJson;
  readonly power: string;
  readonly name: string;
}

const keys: readonly string[] = [
  "genesis_time",
  "chain_id",
  "initial_height",
  "consensus_params",
  "validators",
  "app_hash",
  "app_state",
];

/** Document of its text; throws `DecodeError` naming the field. Absent parameters, height and addresses are completed. */
export function parseGenesis(source: string): GenesisDoc {
  if (source.length > genesisTextMax) {
    throw new DecodeError("too-large", `genesis: expected at most ${genesisTextMax} characters`);
  }
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch {
    throw new DecodeError("malformed", "genesis: expected JSON");
  }
  return genesisFromJson(json);
}

/** The same of parsed JSON. */
export function genesisFromJson(json: unknown): GenesisDoc {
  const doc = object("genesis", json, keys);
  const time = doc["genesis_time"];
  const params = doc["consensus_params"];
  const parsed: GenesisDoc = {
    genesisTime: parseTimestamp(text("genesis_time", time)),
    chainId: text("chain_id", doc["chain_id"]),
    // SDK tools write a number here, CometBFT a string.
    initialHeight: safeInteger("initial_height", doc["initial_height"] ?? "1") || 1,
    consensusParams:
      params === undefined || params === null
        ? defaultConsensusParams
        : consensusParamsFromJson(params),
    validators: list("validators", doc["validators"] ?? [], commitSignaturesMax).map(
      validatorFromJson,
    ),
    appHash: hexToBytes(text("app_hash", doc["app_hash"] ?? "")),
    appState: doc["app_state"] ?? {},
  };
  const problem = genesisProblem(parsed);
  if (problem !== null) throw new DecodeError("invalid", `genesis: ${problem}`);
  return parsed;
}

function validatorFromJson(json: unknown, index: number): GenesisValidator {
  const where = `validators[${index}]`;
  const one: JsonObject = object(where, json, ["address", "pub_key", "power", "name"]);
  const pubKey = publicKeyFromJson(one["pub_key"]);
  const address = hexToBytes(text(`${where}.address`, one["address"] ?? ""));
  return {
    address: address.length === 0 ? ed25519Address(pubKey) : address,
    pubKey,
    power: integerText(`${where}.power`, one["power"]),
    name: text(`${where}.name`, one["name"] ?? ""),
  };
}

/** First rule the document breaks, or null. */
export function genesisProblem(doc: GenesisDoc): string | null {
  const idLength = utf8ToBytes(doc.chainId).length;
  if (idLength === 0 || idLength > chainIdBytesMax) {
    return `chain_id: expected 1 to ${chainIdBytesMax} bytes, got ${idLength}`;
  }
  // CometBFT would put its own clock here; nodes starting apart would then disagree on the first block.
  if (isZeroTime(doc.genesisTime)) return "genesis_time: expected a time";
  if (!Number.isSafeInteger(doc.initialHeight) || doc.initialHeight < 1) {
    return `initial_height: expected 1 or more, got ${doc.initialHeight}`;
  }
  return consensusParamsProblem(doc.consensusParams) ?? validatorsProblem(doc.validators);
}

function validatorsProblem(validators: readonly GenesisValidator[]): string | null {
  const seen = new Set<string>();
  let total = 0n;
  for (const { address, pubKey, power } of validators) {
    const key = bytesToHex(address);
    if (power < 1n) return `validators: expected a power of at least 1 for ${key}, got ${power}`;
    if (!equalBytes(address, ed25519Address(pubKey)))
      return `validators: expected the address of the key, got ${key}`;
    if (seen.has(key)) return `validators: expected each validator once, got ${key} twice`;
    seen.add(key);
    total += power;
  }
  return total <= totalPowerMax
    ? null
    : `validators: expected a total power up to ${totalPowerMax}, got ${total}`;
}

/** The document as Comet writes it. */
export function genesisToJson(doc: GenesisDoc): GenesisJson {
  const validators = doc.validators.map(
    ({ address, pubKey, power, name }): GenesisValidatorJson => ({
      address: bytesToHex(address),
      pub_key: publicKeyToJson(pubKey),
      power: power.toString(),
      name,
    }),
  );
  return {
    genesis_time: formatTimestamp(doc.genesisTime),
    chain_id: doc.chainId,
    initial_height: doc.initialHeight.toString(),
    consensus_params: consensusParamsToJson(doc.consensusParams),
    ...(validators.length > 0 ? { validators } : {}),
    app_hash: bytesToHex(doc.appHash),
    app_state: doc.appState,
  };
}

/** Indented text with a final newline. */
export function formatGenesis(doc: GenesisDoc): string {
  return `${JSON.stringify(genesisToJson(doc), null, 2)}\n`;
}

/** Genesis validators in consensus order, priorities not yet set. */
export function genesisValidators(doc: GenesisDoc): readonly ValidatorInfo[] {
  return doc.validators
    .map(({ address, pubKey, power }) => ({ address, pubKey, power, priority: 0n }))
    .sort(compareValidators);
}
