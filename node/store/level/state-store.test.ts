import type { ChainState } from "@keel/consensus/host/ports";
import { zeroBlockId } from "@keel/consensus/wire/block-id";
import { defaultConsensusParams } from "@keel/consensus/wire/params";
import {
  blockIdOf,
  chainId,
  hashOf,
  makeValidators,
  startTime,
} from "@keel/consensus/wire/testing/world";
import { describe, expect, test } from "vitest";
import { MemoryDatabase } from "./memory-database.ts";
import { LevelStateStore } from "./state-store.ts";
import { eventOf, responseOf, resultOf } from "./testing.ts";

const sets = Array.from(
  { length: 12 },
  (_, i) => makeValidators([10n, BigInt(i + 1)], `set ${i}`).validators,
);

/** State after `lastHeight` of a chain whose set of height h is sets[h]. */
function stateAt(lastHeight: number, given: Partial<ChainState> = {}): ChainState {
  return {
    chainId,
    initialHeight: 1,
    lastHeight,
    lastBlockId: lastHeight === 0 ? zeroBlockId : blockIdOf(`block ${lastHeight}`),
    lastBlockTime: startTime,
    lastValidators: lastHeight === 0 ? [] : (sets[lastHeight] ?? []),
    validators: sets[lastHeight + 1] ?? [],
    nextValidators: sets[lastHeight + 2] ?? [],
    lastHeightValidatorsChanged: lastHeight + 2,
    consensusParams: defaultConsensusParams,
    lastHeightParamsChanged: 1,
    lastResultsHash: hashOf("results"),
    appHash: hashOf(`app ${lastHeight}`),
    appVersion: 1,
    ...given,
  };
}

describe("state store", () => {
  test("gives back the state last saved, null before", async () => {
    const database = new MemoryDatabase();
    expect(await new LevelStateStore(database).load()).toBeNull();
    const store = new LevelStateStore(database);
    for (const height of [0, 1, 2]) {
      await store.save(stateAt(height));
      expect(await new LevelStateStore(database.crashed()).load()).toEqual(stateAt(height));
    }
  });

  test("gives the validators that sign each height, up to the one after next", async () => {
    const store = new LevelStateStore(new MemoryDatabase());
    for (let height = 0; height <= 8; height++) await store.save(stateAt(height));
    for (let height = 1; height <= 10; height++)
      expect(await store.loadValidators(height)).toEqual(sets[height]);
    expect(await store.loadValidators(0)).toBeNull();
    expect(await store.loadValidators(11)).toBeNull();
  });

  test("a chain that starts higher has validators from its initial height", async () => {
    const store = new LevelStateStore(new MemoryDatabase());
    await store.save(stateAt(0, { initialHeight: 500 }));
    expect(await store.loadValidators(500)).toEqual(sets[1]);
    expect(await store.loadValidators(501)).toEqual(sets[2]);
    expect(await store.loadConsensusParams(500)).toEqual(defaultConsensusParams);
  });

  test("gives the parameters in force at each height", async () => {
    const database = new MemoryDatabase();
    const changed = { ...defaultConsensusParams, block: { maxBytes: 1000n, maxGas: 5n } };
    const store = new LevelStateStore(database);
    for (let height = 0; height <= 3; height++) await store.save(stateAt(height));
    await store.save(stateAt(4, { consensusParams: changed, lastHeightParamsChanged: 5 }));
    const reopened = new LevelStateStore(database);
    for (let height = 5; height <= 8; height++) {
      await reopened.save(
        stateAt(height, { consensusParams: changed, lastHeightParamsChanged: 5 }),
      );
    }
    for (let height = 1; height <= 4; height++) {
      expect(await reopened.loadConsensusParams(height)).toEqual(defaultConsensusParams);
    }
    for (let height = 5; height <= 9; height++)
      expect(await reopened.loadConsensusParams(height)).toEqual(changed);
    expect(await reopened.loadConsensusParams(20)).toBeNull();
  });

  test("keeps finalize responses by height, with events, parameters and updates", async () => {
    const store = new LevelStateStore(new MemoryDatabase());
    const response = {
      ...responseOf(
        [resultOf([eventOf("transfer", ["amount", "5ukeel"])]), resultOf([], 5)],
        [eventOf("block")],
      ),
      validatorUpdates: [{ pubKey: hashOf("key"), power: 0n }],
      consensusParamUpdates: defaultConsensusParams,
    };
    await store.saveFinalizeBlockResponse(3, response);
    expect(await store.loadFinalizeBlockResponse(3)).toEqual(response);
    expect(await store.loadFinalizeBlockResponse(4)).toBeNull();
  });

  test("pruning drops sets and responses below the height and keeps parameters", async () => {
    const store = new LevelStateStore(new MemoryDatabase());
    for (let height = 0; height <= 8; height++) {
      await store.save(stateAt(height));
      await store.saveFinalizeBlockResponse(height + 1, responseOf([]));
    }
    await store.prune(6);
    expect(await store.loadValidators(5)).toBeNull();
    expect(await store.loadFinalizeBlockResponse(5)).toBeNull();
    expect(await store.loadValidators(6)).toEqual(sets[6]);
    expect(await store.loadFinalizeBlockResponse(6)).not.toBeNull();
    expect(await store.loadConsensusParams(6)).toEqual(defaultConsensusParams);
  });
});
