/** Ports of a local network: ten per validator from a base, or any free ones. */
import { createServer } from "node:net";

export interface NodePorts {
  readonly p2p: number;
  readonly rpc: number;
  readonly metrics: number;
}

const PORTS_PER_NODE = 10;

/** base, base+10, …: with base 26656 the first validator has CometBFT's own ports. */
export function fixedPorts(base: number, nodes: number): NodePorts[] {
  return Array.from({ length: nodes }, (_, i) => {
    const first = base + i * PORTS_PER_NODE;
    return { p2p: first, rpc: first + 1, metrics: first + 2 };
  });
}

/** Free now; somebody else may still take one before it is used. */
export async function freePorts(nodes: number): Promise<NodePorts[]> {
  const servers = await Promise.all(Array.from({ length: nodes * 3 }, () => listen(0)));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Array.from({ length: nodes }, (_, i) => ({
    p2p: ports[3 * i] as number,
    rpc: ports[3 * i + 1] as number,
    metrics: ports[3 * i + 2] as number,
  }));
}

/** Throws one sentence naming the first port that is taken. */
export async function assertPortsFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    try {
      const server = await listen(port);
      await new Promise((resolve) => server.close(resolve));
    } catch {
      throw new Error(
        `port ${port} on 127.0.0.1 is in use; stop the other program or choose another --base-port`,
      );
    }
  }
}

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
