import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseGenesis } from "@keel/consensus/wire/genesis";
import { storeNames } from "../app/app.ts";
import { openApplication } from "../app/application.ts";
import { ConfigError, homePaths, readConfig } from "../config/files.ts";
import { createVerifier } from "../crypto/verifier.ts";
import { addressPrefixOf } from "../genesis/prefix.ts";
import { openApplicationStore } from "../store/level/application-store.ts";
import { openLevelDatabase } from "../store/level/level-database.ts";
import { KEEL_VERSION } from "../version.ts";
import { requireSoundState } from "./sound-state.ts";

/** Prints a genesis document whose app_state is the committed state; for a stopped node. Refuses a state with a broken invariant. */
export async function exportCommand({ home }: { readonly home: string }): Promise<void> {
  readConfig(home);
  const paths = homePaths(home);
  const genesisJson = JSON.parse(readFileSync(paths.genesis, "utf8")) as Record<string, unknown>;
  const genesis = parseGenesis(JSON.stringify(genesisJson));
  const database = await openLevelDatabase(join(paths.data, "application.db"));
  const store = await openApplicationStore(database, { stores: storeNames });
  const verifier = createVerifier({ backend: "native", workers: 0 });
  const addressPrefix = addressPrefixOf(genesis);
  try {
    if (store.height === 0) throw new ConfigError(`${home}: no block is committed there yet`);
    const app = await openApplication({
      chainId: genesis.chainId,
      addressPrefix,
      store,
      verifier,
      prices: null,
      minGasPrices: [],
      version: KEEL_VERSION,
    });
    requireSoundState(app);
    const { auth, ...rest } = app.exportGenesis() as { auth: object } & Record<string, unknown>;
    const appState = { auth: { bech32_prefix: addressPrefix, ...auth }, ...rest };
    const initialHeight = (store.height + 1).toString();
    process.stdout.write(
      `${JSON.stringify({ ...genesisJson, initial_height: initialHeight, app_state: appState }, null, 2)}\n`,
    );
  } finally {
    await verifier.close();
    await store.close();
    await database.close();
  }
}
