/**
 * Executes every stored block again from genesis, on a fresh store in memory, and compares each app hash with the one the network
 * agreed on; at the end asks every invariant. Shows determinism across Node versions, machines and crypto backends.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toProposedBlock } from "@keel/consensus/host/blocks";
import { genesisState } from "@keel/consensus/host/handshake";
import { parseGenesis } from "@keel/consensus/wire/genesis";
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { storeNames } from "../app/app.ts";
import { openApplication } from "../app/application.ts";
import { ConfigError, homePaths } from "../config/files.ts";
import { createVerifier } from "../crypto/verifier.ts";
import { addressPrefixOf } from "../genesis/prefix.ts";
import { openBlockStore } from "../store/level/block-store.ts";
import { openLevelDatabase } from "../store/level/level-database.ts";
import { LevelStateStore } from "../store/level/state-store.ts";
import { MemoryCommitStore } from "../store/memory-commit-store.ts";
import { KEEL_VERSION } from "../version.ts";
import { requireSoundState } from "./sound-state.ts";

export interface ReplayOptions {
  readonly home: string;
  readonly crypto: string;
}

export async function replayCommand({ home, crypto }: ReplayOptions): Promise<void> {
  if (crypto !== "native" && crypto !== "js")
    throw new ConfigError(`--crypto: expected native or js, got ${crypto}`);
  const paths = homePaths(home);
  if (!existsSync(paths.genesis))
    throw new ConfigError(`${home}: expected a node's home, found no genesis file`);
  const genesis = parseGenesis(readFileSync(paths.genesis, "utf8"));
  const database = await openLevelDatabase(join(paths.data, "chain.db"));
  const blocks = await openBlockStore(database);
  const states = new LevelStateStore(database);
  const verifier = createVerifier({ backend: crypto, workers: 0 });
  try {
    if (blocks.height() === 0) throw new ConfigError(`${home}: no block is stored there yet`);
    const app = await openApplication({
      chainId: genesis.chainId,
      addressPrefix: addressPrefixOf(genesis),
      store: new MemoryCommitStore({ stores: storeNames }),
      verifier,
      prices: null,
      minGasPrices: [],
      version: KEEL_VERSION,
    });
    const start = genesisState(genesis, 0);
    await app.initChain({
      time: genesis.genesisTime,
      chainId: genesis.chainId,
      consensusParams: genesis.consensusParams,
      validators: genesis.validators.map(({ pubKey, power }) => ({ pubKey, power })),
      appState: genesis.appState,
      initialHeight: genesis.initialHeight,
    });
    if (blocks.base() > genesis.initialHeight) {
      throw new ConfigError(`blocks below ${blocks.base()} are pruned; a replay needs all of them`);
    }
    const startedMs = performance.now();
    let lastValidators = start.validators;
    let last = "";
    for (let height = genesis.initialHeight; height <= blocks.height(); height++) {
      const stored = await blocks.load(height);
      if (stored === null) throw new ConfigError(`block ${height} is missing`);
      const { appHash } = await app.finalizeBlock(toProposedBlock(stored, lastValidators));
      await app.commit();
      const agreed =
        (await blocks.load(height + 1))?.block.header.appHash ??
        (await states.loadFinalizeBlockResponse(height))?.appHash;
      if (agreed === undefined)
        throw new ConfigError(`block ${height}: nothing says what the network agreed on`);
      if (!equalBytes(agreed, appHash)) {
        throw new ConfigError(
          `block ${height}: the network agreed on app hash ${bytesToHex(agreed)}, executing it here gives ${bytesToHex(appHash)}`,
        );
      }
      lastValidators = (await states.loadValidators(height)) ?? lastValidators;
      last = bytesToHex(appHash);
    }
    requireSoundState(app);
    const count = blocks.height() - genesis.initialHeight + 1;
    const seconds = (performance.now() - startedMs) / 1000;
    process.stdout.write(
      `${count} blocks replayed in ${seconds.toFixed(1)} s on Node ${process.versions.node} (${crypto} crypto): every app hash equal, every invariant holds; last ${last}\n`,
    );
  } finally {
    await verifier.close();
    await database.close();
  }
}
