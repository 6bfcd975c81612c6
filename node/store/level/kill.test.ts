import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MemoryCommitStore } from "../memory-commit-store.ts";
import { commitNext, createTestChain, sortedModel, stateOf, testStores } from "../testing.ts";
import { openApplicationStore } from "./application-store.ts";
import { openLevelDatabase } from "./level-database.ts";

/** Runs the commit loop and kills it with SIGKILL about `afterHeights` heights later. Resolves to the last height it acknowledged. */
function runAndKill(home: string, afterHeights: number): Promise<number> {
  const script = fileURLToPath(new URL("./commit-loop.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, home, "77"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let text = "";
    let lines = 0;
    child.stdout.on("data", (data: Buffer) => {
      text += data.toString();
      lines = text.split("\n").length - 1;
      if (lines >= afterHeights) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (_, signal) => {
      const acknowledged = Number(text.split("\n").at(-2));
      if (signal === "SIGKILL" && lines > 0) resolve(acknowledged);
      else reject(new Error(`commit loop ended by itself (${signal})`));
    });
  });
}

test("a process killed at any moment loses nothing it acknowledged, several times over", async () => {
  const home = mkdtempSync(join(tmpdir(), "keel-kill-"));
  try {
    const reference = new MemoryCommitStore({ stores: testStores });
    const chain = createTestChain(77);
    for (const afterHeights of [1, 7, 23, 40]) {
      const acknowledged = await runAndKill(home, afterHeights);
      const database = await openLevelDatabase(join(home, "data", "application.db"));
      const store = await openApplicationStore(database, { stores: testStores });
      expect(store.height).toBeGreaterThanOrEqual(acknowledged);
      while (reference.height < store.height) await commitNext(reference, chain);
      expect(store.appHash).toEqual(reference.appHash);
      expect(stateOf(store)).toEqual(sortedModel(chain.model));
      await store.close();
      await database.close();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
