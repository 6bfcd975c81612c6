/** What a chain did, read from all its nodes: to show that a crash lost nothing and nobody signed twice. */
import { readFileSync } from "node:fs";
import { homePaths } from "@keel/node/config/files";
import { expect } from "vitest";
import { heightOf, type LocalNetwork } from "../network/network.ts";
import { rpcCall } from "../network/rpc.ts";

interface CommitJson {
  readonly signed_header: {
    readonly commit: {
      readonly height: string;
      readonly round: number;
      readonly block_id: { readonly hash: string };
      readonly signatures: readonly {
        readonly block_id_flag: number;
        readonly validator_address: string;
        readonly signature: string | null;
      }[];
    };
  };
}

interface BlockJson {
  readonly block_id: { readonly hash: string };
  readonly block: { readonly evidence: { readonly evidence: readonly unknown[] } };
}

/** Where a node answers and what it keeps. */
export interface NodeLook {
  readonly rpc: string;
  readonly home: string;
}

export function looksOf({ nodes }: LocalNetwork): readonly NodeLook[] {
  return nodes.map(({ rpc, process: { home } }) => ({ rpc, home }));
}

export interface History {
  /** Per node: hash of each block. */
  readonly blocks: readonly ReadonlyMap<number, string>[];
  /** "validator/height/round" to every block hash (or nil) a signature of it was seen for, on any node. */
  readonly votes: ReadonlyMap<string, ReadonlySet<string>>;
  /** Pieces of evidence in blocks. */
  readonly evidence: number;
}

/** Flag of a commit signature that is for the block. */
export const SIGNED = 2;
const ABSENT = 1;

/** Blocks and commits 1 to `height` of every node, the tip's own commit included. */
export async function readHistory(nodes: readonly NodeLook[], height: number): Promise<History> {
  const votes = new Map<string, Set<string>>();
  const blocks: Map<number, string>[] = [];
  let evidence = 0;
  for (const { rpc } of nodes) {
    const hashes = new Map<number, string>();
    for (let at = 1; at <= height; at++) {
      const { block_id, block } = await rpcCall<BlockJson>(rpc, "block", { height: at });
      hashes.set(at, block_id.hash);
      evidence += block.evidence.evidence.length;
      const { commit } = (await rpcCall<CommitJson>(rpc, "commit", { height: at })).signed_header;
      for (const { validator_address, block_id_flag } of commit.signatures) {
        if (block_id_flag === ABSENT) continue;
        const key = `${validator_address}/${commit.height}/${commit.round}`;
        const seen = votes.get(key) ?? new Set<string>();
        votes.set(key, seen.add(block_id_flag === SIGNED ? commit.block_id.hash : "nil"));
      }
    }
    blocks.push(hashes);
  }
  return { blocks, votes, evidence };
}

/** Of running nodes; the least of them. */
export async function commonHeight(nodes: readonly NodeLook[]): Promise<number> {
  const heights = await Promise.all(nodes.map(({ rpc }) => heightOf(rpc)));
  return Math.min(...heights.map((height) => height ?? 0));
}

/** Height each validator's key last signed at, from its own record. */
export function lastSigned(nodes: readonly NodeLook[]): number[] {
  return nodes.map(({ home }) => {
    const state = JSON.parse(readFileSync(homePaths(home).validatorState, "utf8")) as {
      height: string;
    };
    return Number(state.height);
  });
}

/** Consensus address of a validator, from its own key file; upper-case hex, as in commits. */
export function addressOf({ home }: NodeLook): string {
  const key = JSON.parse(readFileSync(homePaths(home).validatorKey, "utf8")) as { address: string };
  return key.address;
}

/**
 * What must hold between a look before everything was killed and one after it came back: no block of before is lost or another, all nodes have
 * the same, no place has two votes of one validator, and nothing accuses anybody.
 */
export function expectUnbroken(before: History, after: History): void {
  for (const [node, hashes] of after.blocks.entries()) {
    for (const [height, hash] of before.blocks[node] ?? [])
      expect(hashes.get(height), `node${node} height ${height}`).toBe(hash);
    expect(hashes).toEqual(after.blocks[0]);
  }
  for (const [vote, hashes] of after.votes)
    expect(new Set([...hashes, ...(before.votes.get(vote) ?? [])]).size, vote).toBe(1);
  expect(after.evidence).toBe(0);
}
