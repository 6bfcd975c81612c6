/** The one line that lives: height, block time, signers, oracle. */
import type { KeelClient } from "@keel/client/keel-client";
import { parseTimestamp, timestampToMs } from "@keel/proto/bytes/timestamp";
import { commitSignatures, headerAt } from "./rpc.ts";

export interface ChainLook {
  readonly height: number;
  /** Real milliseconds between the last two blocks; null before the second. */
  readonly intervalMs: number | null;
  readonly signers: number;
  readonly validators: number;
  readonly price: string;
  /** Chain time since the price was accepted. */
  readonly oracleAgeMs: number | null;
}

const SIGNED = 2;

/** One look. `scale`: chain seconds per real second. */
export async function lookAtChain(
  chain: KeelClient,
  feed: string,
  scale: number,
): Promise<ChainLook> {
  const rpc = chain.endpoints.current;
  const height = await chain.height();
  const [last, before, signatures, price] = await Promise.all([
    headerAt(rpc, height),
    headerAt(rpc, Math.max(height - 1, 1)),
    // The newest block's own commit may still lack the slowest; the one below is complete.
    commitSignatures(rpc, Math.max(height - 1, 1)),
    chain.price(feed).catch(() => null),
  ]);
  const passedMs = msOf(last.time) - msOf(before.time);
  return {
    height,
    intervalMs: last.height === before.height ? null : passedMs / scale,
    signers: signatures.filter(({ block_id_flag }) => block_id_flag === SIGNED).length,
    validators: signatures.length,
    price: price?.price ?? "none",
    oracleAgeMs: price === null ? null : Number(price.ageMs),
  };
}

function msOf(time: string): number {
  return timestampToMs(parseTimestamp(time));
}

export function statusText(look: ChainLook): string {
  const { height, intervalMs, signers, validators, price, oracleAgeMs } = look;
  const blockTime = intervalMs === null ? "-" : `${Math.round(intervalMs)} ms`;
  const age =
    oracleAgeMs === null
      ? "none"
      : `${Number(price).toFixed(2)}, ${(oracleAgeMs / 1000).toFixed(1)} s old`;
  return `height ${height}  block time ${blockTime}  signers ${signers}/${validators}  oracle ${age}`;
}
