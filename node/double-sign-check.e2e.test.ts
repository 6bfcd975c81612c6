/** A validator that has just signed and then asks whether it may start. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { expect, it } from "vitest";
import { initHome } from "./cli/init.ts";
import { homePaths, readConfig } from "./config/files.ts";
import { createGenesisText } from "./genesis/create.ts";
import { createLogger } from "./logging/logger.ts";
import type { RunningNode } from "./node.ts";
import { startNode } from "./node.ts";

it("does not start while its own signature is in the last blocks, and does with the check off", async () => {
  const home = mkdtempSync(join(tmpdir(), "keel-double-sign-"));
  const paths = homePaths(home);
  let fatal = "";
  const start = (): Promise<RunningNode> => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
    return startNode({
      config: readConfig(home),
      log: createLogger({ level: "error", format: "plain", stream }),
      onFatal: (sentence) => {
        fatal = sentence;
      },
    });
  };
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const setCheck = (heights: number): void => {
    const text = readFileSync(paths.configToml, "utf8");
    const line = `double_sign_check_height = ${heights}`;
    writeFileSync(paths.configToml, text.replace(/double_sign_check_height = \d+/, line));
  };
  const { pubKey } = await initHome(home, {
    "rpc.laddr": "tcp://127.0.0.1:0",
    "p2p.laddr": "tcp://127.0.0.1:0",
    "crypto.workers": 0,
    "consensus.empty_block_interval": "50ms",
    "consensus.min_block_interval": "50ms",
  });
  const genesis = createGenesisText({
    chainId: "keel-double-sign-1",
    genesisTime: timestampFromMs(Date.now()),
    validators: [{ pubKey, power: 10n, name: "one" }],
    accounts: [],
    authority: null,
  });
  writeFileSync(paths.genesis, genesis);
  try {
    const first = await start();
    await until(() => first.state().lastHeight >= 2);
    await first.stop();
    setCheck(5);
    const second = await start();
    await until(() => fatal !== "");
    const { lastHeight } = second.state();
    expect(fatal).toMatch(new RegExp(`^block ${lastHeight} carries this validator's signature; `));
    await second.stop();
    fatal = "";
    setCheck(0);
    const third = await start();
    await until(() => third.state().lastHeight > lastHeight);
    await third.stop();
    expect(fatal).toBe("");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}, 60_000);
