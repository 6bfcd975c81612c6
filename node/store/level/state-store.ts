/** Consensus state, validator sets, parameters and responses by height: the consensus host's `StateStore` in `chain.db`. */
import type { ChainState, FinalizeBlockResponse, StateStore } from "@keel/consensus/host/ports";
import { finalizeBlockResponseMessage } from "@keel/consensus/wire/abci";
import { blockIdMessage } from "@keel/consensus/wire/block-id";
import { bytes, count64, embedded, repeated, text, uint32 } from "@keel/consensus/wire/fields";
import { commitSignaturesMax } from "@keel/consensus/wire/limits";
import { type Message, message } from "@keel/consensus/wire/message";
import { consensusParamsMessage } from "@keel/consensus/wire/params";
import { timestampMessage } from "@keel/consensus/wire/timestamp";
import type { ConsensusParams, ValidatorInfo } from "@keel/consensus/wire/types";
import { validatorMessage } from "@keel/consensus/wire/validator-set";
import { pruneBatchKeys } from "../limits.ts";
import type { Database, Write } from "../types.ts";
import { heightKey, prefixes, singleKey } from "./keys.ts";
import { openBytes, sealBytes } from "./records.ts";

/** Local to this node's disk; field numbers may never be reused. */
const chainStateMessage: Message<ChainState> = message<ChainState>("ChainState", {
  chainId: text(1),
  initialHeight: count64(2),
  lastHeight: count64(3),
  lastBlockId: embedded(4, blockIdMessage),
  lastBlockTime: embedded(5, timestampMessage),
  lastValidators: repeated(6, validatorMessage, commitSignaturesMax),
  validators: repeated(7, validatorMessage, commitSignaturesMax),
  nextValidators: repeated(8, validatorMessage, commitSignaturesMax),
  lastHeightValidatorsChanged: count64(9),
  consensusParams: embedded(10, consensusParamsMessage),
  lastHeightParamsChanged: count64(11),
  lastResultsHash: bytes(12),
  appHash: bytes(13),
  appVersion: uint32(14),
});

interface ValidatorList {
  readonly validators: readonly ValidatorInfo[];
}

const validatorListMessage: Message<ValidatorList> = message<ValidatorList>("ValidatorList", {
  validators: repeated(1, validatorMessage, commitSignaturesMax),
});

const stateKey: Uint8Array = singleKey(prefixes.chainState);

export class LevelStateStore implements StateStore {
  readonly #database: Database;
  /** Whether this process has written parameters yet: the first save must, whenever they last changed. */
  #paramsWritten = false;

  constructor(database: Database) {
    this.#database = database;
  }

  async load(): Promise<ChainState | null> {
    const record = await this.#database.get(stateKey);
    return record === null ? null : chainStateMessage.decode(openBytes("consensus state", record));
  }

  /**
   * Sets change with every height (their priorities do), so each height gets its own: the set of the next height, and that of the
   * one after, which is known already. Parameters are written only where they change.
   */
  async save(state: ChainState): Promise<void> {
    const next = state.lastHeight === 0 ? state.initialHeight : state.lastHeight + 1;
    const batch: Write[] = [
      { key: stateKey, value: sealBytes(chainStateMessage.encode(state)) },
      validatorsAt(next, state.validators),
      validatorsAt(next + 1, state.nextValidators),
    ];
    if (state.lastHeight > 0) batch.push(validatorsAt(state.lastHeight, state.lastValidators));
    if (!this.#paramsWritten || state.lastHeightParamsChanged === next) {
      const value = sealBytes(consensusParamsMessage.encode(state.consensusParams));
      batch.push({ key: heightKey(prefixes.consensusParams, next), value });
    }
    await this.#database.write(batch, "synced");
    this.#paramsWritten = true;
  }

  async loadValidators(height: number): Promise<readonly ValidatorInfo[] | null> {
    const record = await this.#database.get(heightKey(prefixes.validators, height));
    if (record === null) return null;
    return validatorListMessage.decode(openBytes(`validators of height ${height}`, record))
      .validators;
  }

  async loadConsensusParams(height: number): Promise<ConsensusParams | null> {
    // A height whose validators are unknown is pruned or in the future.
    if ((await this.#database.get(heightKey(prefixes.validators, height))) === null) return null;
    const range = {
      from: heightKey(prefixes.consensusParams, 0),
      to: heightKey(prefixes.consensusParams, height + 1),
      reverse: true,
      limit: 1,
    };
    for await (const [, record] of this.#database.range(range)) {
      return consensusParamsMessage.decode(openBytes(`parameters of height ${height}`, record));
    }
    return null;
  }

  async saveFinalizeBlockResponse(height: number, response: FinalizeBlockResponse): Promise<void> {
    const value = sealBytes(finalizeBlockResponseMessage.encode(response));
    await this.#database.write([{ key: heightKey(prefixes.response, height), value }], "synced");
  }

  /** The encoded response, or null. */
  async loadEncodedResponse(height: number): Promise<Uint8Array | null> {
    const record = await this.#database.get(heightKey(prefixes.response, height));
    return record === null ? null : openBytes(`response of height ${height}`, record);
  }

  async loadFinalizeBlockResponse(height: number): Promise<FinalizeBlockResponse | null> {
    const bytes = await this.loadEncodedResponse(height);
    if (bytes === null) return null;
    // Parameter updates come back with exactly the parts they were saved with.
    return finalizeBlockResponseMessage.decode(bytes) as FinalizeBlockResponse;
  }

  /** Drops validator sets and responses below `retainHeight`. Parameters are few and stay. */
  async prune(retainHeight: number): Promise<void> {
    for (const prefix of [prefixes.validators, prefixes.response]) {
      const range = {
        from: heightKey(prefix, 0),
        to: heightKey(prefix, retainHeight),
        limit: pruneBatchKeys,
      };
      for (;;) {
        const batch: Write[] = [];
        for await (const [key] of this.#database.range(range)) batch.push({ key, value: null });
        if (batch.length === 0) break;
        await this.#database.write(batch, "buffered");
      }
    }
  }
}

function validatorsAt(height: number, validators: readonly ValidatorInfo[]): Write {
  const value = sealBytes(validatorListMessage.encode({ validators }));
  return { key: heightKey(prefixes.validators, height), value };
}
