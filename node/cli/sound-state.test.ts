import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { storeNames } from "../app/app.ts";
import { TestChain } from "../app/testing/chain.ts";
import { homePaths } from "../config/files.ts";
import { createGenesisText } from "../genesis/create.ts";
import { openApplicationStore } from "../store/level/application-store.ts";
import { openLevelDatabase } from "../store/level/level-database.ts";
import { exportCommand } from "./export.ts";
import { initHome } from "./init.ts";

let home: string;
let printed: string;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "keel-sound-"));
  const { pubKey } = await initHome(home, {});
  const genesis = createGenesisText({
    chainId: "keel-sound-1",
    genesisTime: timestampFromMs(0),
    validators: [{ pubKey, power: 10n, name: "one" }],
    accounts: [],
    authority: null,
  });
  writeFileSync(homePaths(home).genesis, genesis);
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(home, { recursive: true });
});

/** Two blocks in the home's application.db; then, past the application, the counter of account numbers is set. */
async function stateWith(nextAccountNumber: number | null): Promise<void> {
  const database = await openLevelDatabase(join(homePaths(home).data, "application.db"));
  const store = await openApplicationStore(database, { stores: storeNames });
  const chain = await new TestChain({ store }).start();
  await chain.decide([]);
  await chain.decide([]);
  expect(chain.app.brokenInvariant()).toBeNull();
  if (nextAccountNumber !== null) {
    const value = "\0".repeat(7) + String.fromCharCode(nextAccountNumber);
    store.stage(3, [{ store: "acc", changes: [{ key: "\u0002", value }] }]);
    await store.commit();
  }
  await store.close();
  await database.close();
}

test("a sound state is exported", async () => {
  await stateWith(null);
  await exportCommand({ home });
  expect(JSON.parse(printed)).toMatchObject({ initial_height: "3" });
});

test("a state in which an invariant is broken is refused with one sentence, and nothing is printed", async () => {
  await stateWith(1);
  await expect(exportCommand({ home })).rejects.toThrow(
    /^invariant auth\/numbers-match-accounts is broken: account number [0-9]+ was never given, next is 1$/,
  );
  expect(printed).toBe("");
});
