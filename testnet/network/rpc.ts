/** What a harness reads from a node besides queries: plain CometBFT RPC over HTTP. */

const TIMEOUT_MS = 10_000;

/** Result of one RPC method. Throws one sentence when the node does not answer or refuses. */
export async function rpcCall<T>(
  rpc: string,
  method: string,
  params: Readonly<Record<string, string | number>> = {},
): Promise<T> {
  const query = new URLSearchParams(
    Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const response = await fetch(`${rpc}/${method}?${query}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = (await response.json()) as { result?: T; error?: { data?: string } };
  if (body.result === undefined)
    throw new Error(`${rpc}/${method}: ${body.error?.data ?? response.status}`);
  return body.result;
}

export interface ChainEvent {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface BlockResults {
  readonly height: number;
  /** Base64: what this node's own execution of the block gave. */
  readonly appHash: string;
  /** One code for each transaction of the block, the oracle's first included. */
  readonly codes: readonly number[];
  /** Of transactions that succeeded, then of the block itself. */
  readonly events: readonly ChainEvent[];
}

interface EventJson {
  readonly type: string;
  readonly attributes: readonly { readonly key: string; readonly value: string }[];
}

interface BlockResultsJson {
  readonly txs_results:
    | readonly { readonly code: number; readonly events: readonly EventJson[] }[]
    | null;
  readonly finalize_block_events: readonly EventJson[] | null;
  readonly app_hash: string;
}

export async function blockResults(rpc: string, height: number): Promise<BlockResults> {
  const json = await rpcCall<BlockResultsJson>(rpc, "block_results", { height });
  const txs = json.txs_results ?? [];
  const events = [
    ...txs.filter(({ code }) => code === 0).flatMap((tx) => tx.events),
    ...(json.finalize_block_events ?? []),
  ];
  return {
    height,
    appHash: json.app_hash,
    codes: txs.map(({ code }) => code),
    events: events.map(({ type, attributes }) => ({
      type,
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
    })),
  };
}

export interface HeaderJson {
  readonly height: string;
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  /** Upper-case hex: state after the block before. */
  readonly app_hash: string;
}

export async function headerAt(rpc: string, height: number): Promise<HeaderJson> {
  return (await rpcCall<{ header: HeaderJson }>(rpc, "header", { height })).header;
}

export interface CommitSignatureJson {
  /** 1 absent, 2 for the block, 3 nil. */
  readonly block_id_flag: number;
  readonly validator_address: string;
  readonly timestamp: string;
  readonly signature: string | null;
}

/** Signatures for the block at `height`, one per validator. */
export async function commitSignatures(
  rpc: string,
  height: number,
): Promise<readonly CommitSignatureJson[]> {
  const json = await rpcCall<{
    signed_header: { commit: { signatures: readonly CommitSignatureJson[] } };
  }>(rpc, "commit", { height });
  return json.signed_header.commit.signatures;
}
