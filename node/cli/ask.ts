/** One question to a running node over its RPC. */
import { ConfigError, homePaths, readConfig } from "../config/files.ts";
import type { ListenAddress } from "../config/values.ts";

const TIMEOUT_MS = 5_000;
/** CometBFT's, and what a home has that says nothing else. */
const NODE_DEFAULT = "http://127.0.0.1:26657";

export interface NodeOptions {
  /** null: none was named, and there may be none at the usual place. */
  readonly home: string | null;
  /** Instead of the address in the home's configuration. */
  readonly node?: string;
}

/** The result of a method, given as path and query: "/status". Throws one sentence, the node's own when it refuses. */
export async function askNode(options: NodeOptions, path: string): Promise<unknown> {
  const node = options.node ?? (options.home === null ? NODE_DEFAULT : nodeOfHome(options.home));
  if (!URL.canParse(path, node))
    throw new ConfigError(`expected --node to be http://host:port, got "${node}"`);
  let response: Response;
  try {
    response = await fetch(new URL(path, node), { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Error(
      `no node answers at ${node}; start one with "keeld start" or name another with --node`,
    );
  }
  const body = (await response.json().catch(() => null)) as {
    readonly result?: unknown;
    readonly error?: { readonly message?: unknown; readonly data?: unknown };
  } | null;
  if (body?.error !== undefined) throw new Error(String(body.error.data ?? body.error.message));
  if (body?.result === undefined) throw new Error(`what answers at ${node} is not a node`);
  return body.result;
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
