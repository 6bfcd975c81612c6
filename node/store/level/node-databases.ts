/** The two databases of a node's home, opened together: application and consensus state in one, blocks and their index in the other. */
import { join } from "node:path";
import type { Database } from "../types.ts";
import { openLevelDatabase } from "./level-database.ts";

export interface NodeDatabases {
  /** For `openApplicationStore` and `LevelStateStore`. */
  readonly state: Database;
  /** For `openBlockStore` and `openTxIndex`. */
  readonly blocks: Database;
  close(): Promise<void>;
}

/** Opens or creates `<home>/data/state.db` and `<home>/data/blocks.db`. Rejects with one plain sentence. */
export async function openNodeDatabases(home: string): Promise<NodeDatabases> {
  const state = await openLevelDatabase(join(home, "data", "state.db"));
  try {
    const blocks = await openLevelDatabase(join(home, "data", "blocks.db"));
    return {
      state,
      blocks,
      async close() {
        await state.close();
        await blocks.close();
      },
    };
  } catch (error) {
    await state.close();
    throw error;
  }
}
