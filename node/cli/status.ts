import { ConfigError, homePaths, readConfig } from "../config/files.ts";
import type { ListenAddress } from "../config/values.ts";

const TIMEOUT_MS = 5_000;
/** CometBFT's, and what a home has that says nothing else. */
const NODE_DEFAULT = "http://127.0.0.1:26657";

export interface StatusOptions {
  /** null: none was named, and there may be none at the usual place. */
  readonly home: string | null;
  /** Instead of the address in the home's configuration. */
  readonly node?: string;
}

/** Prints the node's status JSON. */
export async function statusCommand(options: StatusOptions): Promise<void> {
  const node = options.node ?? (options.home === null ? NODE_DEFAULT : nodeOfHome(options.home));
  if (!URL.canParse("/status", node))
    throw new ConfigError(`expected --node to be http://host:port, got "${node}"`);
  let response: Response;
  try {
    response = await fetch(new URL("/status", node), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Error(
      `no node answers at ${node}; start one with "keeld start" or name another with --node`,
    );
  }
  const body = (await response.json().catch(() => null)) as { result?: unknown } | null;
  if (body?.result === undefined) throw new Error(`what answers at ${node} is not a node`);
  process.stdout.write(`${JSON.stringify(body.result, null, 2)}\n`);
}

/** Where the node of this home answers. */
function nodeOfHome(home: string): string {
  const { laddr } = readConfig(home).comet.rpc;
  if (laddr.port === 0)
    throw new ConfigError(
      `${homePaths(home).configToml}: rpc.laddr leaves the port to the system; name the node with --node`,
    );
  return `http://${reachable(laddr)}:${laddr.port}`;
}

/** "Every address" is for listening; one asks at this machine's own. */
function reachable({ host }: ListenAddress): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
