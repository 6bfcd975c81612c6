/** Child process of the kill test: commits the test chain until it is killed, printing each height once it is acknowledged. */
import { join } from "node:path";
import { createTestChain, testStores } from "../testing.ts";
import { openApplicationStore } from "./application-store.ts";
import { openLevelDatabase } from "./level-database.ts";

const [home = "", seed = "1"] = process.argv.slice(2);
const database = await openLevelDatabase(join(home, "data", "application.db"));
const store = await openApplicationStore(database, {
  stores: testStores,
  snapshotIntervalHeights: 5,
  retention: { heights: 5, durationMs: 0 },
});
const chain = createTestChain(Number(seed));
for (let height = 1; ; height++) {
  const changes = chain.next();
  if (height <= store.height) continue;
  store.stage(height, changes);
  await store.commit();
  process.stdout.write(`${height}\n`);
}
