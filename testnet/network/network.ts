/**
 * A network of validators on this machine: one home directory, key pair and port block each, one genesis for all, every one the
 * persistent peer of every other.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { initHome } from "@keel/node/cli/init";
import { makeDirectory } from "@keel/node/config/directories";
import { homePaths } from "@keel/node/config/files";
import type { FileValues } from "@keel/node/config/template";
import type { GenesisChoices } from "@keel/node/genesis/create";
import { createGenesisText } from "@keel/node/genesis/create";
import { LOG_FILE, NodeProcess } from "./node-process.ts";
import type { NodePorts } from "./ports.ts";
import { shareOf } from "./sharing.ts";

export interface NetworkPlan {
  /** Holds node0, node1, …; reused as it stands when a genesis is there already. */
  readonly directory: string;
  readonly ports: readonly NodePorts[];
  readonly genesis: Omit<GenesisChoices, "validators">;
  /** Configuration of every node, by "section.key"; what it leaves open follows from how many share the machine. */
  readonly config: FileValues;
  readonly env?: NodeJS.ProcessEnv;
}

export interface LocalNode {
  readonly index: number;
  readonly process: NodeProcess;
  /** http://127.0.0.1:… */
  readonly rpc: string;
}

const POWER = 10n;
const READY_POLL_MS = 100;

export class LocalNetwork {
  readonly chainId: string;
  readonly nodes: readonly LocalNode[];

  private constructor(chainId: string, nodes: readonly LocalNode[]) {
    this.chainId = chainId;
    this.nodes = nodes;
  }

  /** Writes the homes (or takes those that are there) without starting anything. */
  static async create(plan: NetworkPlan): Promise<LocalNetwork> {
    const homes = plan.ports.map((_, i) => join(plan.directory, `node${i}`));
    const isNew = !existsSync(homePaths(homes[0] as string).genesis);
    const share = shareOf(homes.length, availableParallelism());
    const identities: { nodeId: string; pubKey: Uint8Array }[] = [];
    for (const [i, home] of homes.entries()) {
      makeDirectory(home);
      identities.push(
        await initHome(home, {
          ...share.config,
          // One of them serves market data for all.
          "market_data.enabled": i === 0,
          ...plan.config,
          moniker: `node${i}`,
          log_file: LOG_FILE,
          ...portValues(plan.ports[i] as NodePorts),
        }),
      );
    }
    if (isNew) {
      const validators = identities.map(({ pubKey }, i) => ({
        pubKey,
        power: POWER,
        name: `node${i}`,
      }));
      const genesis = createGenesisText({ ...plan.genesis, validators });
      for (const [i, home] of homes.entries()) {
        const peers = identities.flatMap(({ nodeId }, j) =>
          i === j ? [] : [`${nodeId}@127.0.0.1:${plan.ports[j]?.p2p}`],
        );
        setPeers(home, peers.join(","));
        writeFileSync(homePaths(home).genesis, genesis);
      }
    }
    const nodes = homes.map((home, index) => ({
      index,
      process: new NodeProcess(home, { env: plan.env, execArgv: share.execArgv }),
      rpc: `http://127.0.0.1:${plan.ports[index]?.rpc}`,
    }));
    return new LocalNetwork(plan.genesis.chainId, nodes);
  }

  /** `onExit` hears of a node that ended although nobody stopped it. */
  start(onExit?: (node: LocalNode, code: number | null, signal: string | null) => void): void {
    for (const node of this.nodes) {
      if (!node.process.isRunning)
        node.process.start((code, signal) => onExit?.(node, code, signal));
    }
  }

  /** Resolves when every running node has reached `height`; rejects with the log's end when one stopped, or when time is up. */
  async waitForHeight(height: number, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (const node of this.nodes) {
      for (;;) {
        if (!node.process.isRunning)
          throw new Error(`node${node.index} stopped:\n${node.process.logTail()}`);
        const reached = await heightOf(node.rpc);
        if (reached !== null && reached >= height) break;
        if (performance.now() > deadline) {
          throw new Error(
            `node${node.index} did not reach height ${height} within ${timeoutMs} ms:\n${node.process.logTail()}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ process }) => process.stop()));
  }

  async killAll(): Promise<void> {
    await Promise.all(this.nodes.map(({ process }) => process.kill()));
  }
}

/** null while the node does not answer. */
export async function heightOf(rpc: string): Promise<number | null> {
  try {
    const response = await fetch(`${rpc}/status`, { signal: AbortSignal.timeout(2_000) });
    const body = (await response.json()) as {
      result: { sync_info: { latest_block_height: string } };
    };
    return Number(body.result.sync_info.latest_block_height);
  } catch {
    return null;
  }
}

function portValues(ports: NodePorts): FileValues {
  return {
    "p2p.laddr": `tcp://127.0.0.1:${ports.p2p}`,
    "rpc.laddr": `tcp://127.0.0.1:${ports.rpc}`,
    // Pages that somebody builds against the local network come from any origin.
    "rpc.cors_allowed_origins": ["*"],
    "instrumentation.prometheus_listen_addr": `tcp://127.0.0.1:${ports.metrics}`,
  };
}

/** Peer ids are known only after every key exists, so the line is filled in afterwards. */
function setPeers(home: string, peers: string): void {
  const { configToml } = homePaths(home);
  const text = readFileSync(configToml, "utf8");
  writeFileSync(
    configToml,
    text.replace(/^persistent_peers = .*$/m, `persistent_peers = ${JSON.stringify(peers)}`),
  );
}
