/** The databases of a home: application state, chain (blocks and consensus state), and the search index. */
import { join } from "node:path";
import { storeNames } from "./app/app.ts";
import type { NodeConfig } from "./config/files.ts";
import type { ApplicationStore } from "./store/level/application-store.ts";
import { openApplicationStore } from "./store/level/application-store.ts";
import type { LevelBlockStore } from "./store/level/block-store.ts";
import { openBlockStore } from "./store/level/block-store.ts";
import { openLevelDatabase } from "./store/level/level-database.ts";
import { LevelStateStore } from "./store/level/state-store.ts";
import type { TxIndex } from "./store/level/tx-index.ts";
import { openTxIndex } from "./store/level/tx-index.ts";
import type { Database } from "./store/types.ts";

export interface Storage {
  readonly blocks: LevelBlockStore;
  readonly states: LevelStateStore;
  readonly application: ApplicationStore;
  /** null when the index is switched off. */
  readonly index: TxIndex | null;
}

/** `onOpened` gets each closer as soon as there is something to close. */
export async function openStorage(
  config: NodeConfig,
  onOpened: (close: () => Promise<void>) => void,
): Promise<Storage> {
  const open = async (name: string): Promise<Database> => {
    const database = await openLevelDatabase(join(config.paths.data, name));
    onOpened(() => database.close());
    return database;
  };
  const chain = await open("chain.db");
  const application = await openApplicationStore(await open("application.db"), {
    stores: storeNames,
    snapshotIntervalHeights: config.app["snapshot-interval"],
  });
  onOpened(() => application.close());
  return {
    blocks: await openBlockStore(chain),
    states: new LevelStateStore(chain),
    application,
    index:
      config.comet.tx_index.indexer === "kv" ? await openTxIndex(await open("index.db")) : null,
  };
}
