/** One validator inside this process, with the role accounts funded: what the tests of client, faucet and bots trade on. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { initHome } from "@keel/node/cli/init";
import { homePaths, readConfig } from "@keel/node/config/files";
import type { FileValues } from "@keel/node/config/template";
import { createGenesisText } from "@keel/node/genesis/create";
import { createLogger } from "@keel/node/logging/logger";
import { type RunningNode, startNode } from "@keel/node/node";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { roleWallets } from "../keys/roles.ts";
import { freePorts } from "../network/ports.ts";

/** Per role account: stake and settlement coins, in base units. */
export const ROLE_STAKE = 1_000_000_000_000n;
export const ROLE_MONEY = 100_000_000_000_000n;

export interface OneValidator {
  readonly rpc: string;
  readonly chainId: string;
  /** Stops it and starts it again on the same port, with its data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOneValidator(
  values: FileValues = {},
  market: Partial<Market> = {},
): Promise<OneValidator> {
  const home = mkdtempSync(join(tmpdir(), "keel-one-"));
  const chainId = "keel-one-1";
  const [ports] = await freePorts(1);
  const config: FileValues = {
    "rpc.laddr": `tcp://127.0.0.1:${ports?.rpc}`,
    "p2p.laddr": "tcp://127.0.0.1:0",
    "oracle.source": "generator",
    "crypto.workers": 0,
    "consensus.empty_block_interval": "200ms",
    "consensus.min_block_interval": "50ms",
    ...values,
  };
  const { pubKey } = await initHome(home, config);
  const accounts = (await roleWallets()).map(({ address }) => ({
    address,
    coins: [
      { denom: "ukeel", amount: ROLE_STAKE },
      { denom: "uusdc", amount: ROLE_MONEY },
    ],
  }));
  writeFileSync(
    homePaths(home).genesis,
    createGenesisText({
      chainId,
      genesisTime: timestampFromMs(Date.now()),
      validators: [{ pubKey, power: 10n, name: "one" }],
      accounts,
      authority: null,
      priceMaxAgeMs: 10_000,
      insuranceFund: 1_000_000_000_000n,
      market,
    }),
  );
  let node = await start(home);
  return {
    rpc: `http://127.0.0.1:${node.rpcPort}`,
    chainId,
    async restart() {
      await node.stop();
      node = await start(home);
    },
    async stop() {
      await node.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function start(home: string): Promise<RunningNode> {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  const node = await startNode({
    config: readConfig(home),
    log: createLogger({ level: "error", format: "plain", stream }),
    onFatal: (sentence) => {
      throw new Error(sentence);
    },
  });
  // The first prices arrive with the second block.
  const from = node.state().lastHeight;
  while (node.state().lastHeight < from + 3) await new Promise((done) => setTimeout(done, 20));
  return node;
}
