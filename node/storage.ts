/** The databases of a home: application state, chain (blocks and consensus state), and the search index. */
import { join } from "node:path";
import { storeNames } from "./app/app.ts";
import type { NodeConfig } from "./config/files.ts";
import type { ApplicationStore } from "./store/level/application-store.ts";
import { openApplicationStore } from "./store/level/application-store.ts";
import type { LevelBlockStore } from "./store/level/block-store.ts";
import { openBlockStore } from "./store/level/block-store.ts";
import { threadWriter } from "./store/level/index-writer.ts";
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
  const open = async (name: string, use: "alone" | "shared" = "alone"): Promise<Database> => {
    const database = await openLevelDatabase(join(config.paths.data, name), use);
    onOpened(() => database.close());
    return database;
  };
  const chain = await open("chain.db");
  const application = await openApplicationStore(await open("application.db"), {
    stores: storeNames,
    snapshotIntervalHeights: config.app["snapshot-interval"],
  });
  onOpened(() => application.close());
  let index: TxIndex | null = null;
  if (config.comet.tx_index.indexer === "kv") {
    const database = await open("index.db", "shared");
    const opened = await openTxIndex(database, threadWriter(join(config.paths.data, "index.db")));
    onOpened(() => opened.close());
    index = opened;
  }
  return {
    blocks: await openBlockStore(chain),
    states: new LevelStateStore(chain),
    application,
    index,
  };
}
