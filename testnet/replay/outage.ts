/** One validator killed without warning while the market runs, and started again. */

import { longestGapDuring } from "../network/commit-gaps.ts";
import type { LocalNetwork } from "../network/network.ts";
import { heightOf } from "../network/network.ts";
import { commitSignatures, rpcCall } from "../network/rpc.ts";
import { sleep } from "./actor.ts";
import type { Check } from "./checks.ts";
import { OUTAGE_GAP_MS_MAX, REJOIN_MS } from "./limits.ts";

const DOWN_MS = 12_000;
const POLL_MS = 300;
const SIGNED = 2;

/** Kills node `index`, leaves it down, starts it, and waits until it has caught up and signed again. */
export async function killAndRejoin(network: LocalNetwork, index: number): Promise<Check[]> {
  const victim = network.nodes[index];
  const witness = network.nodes[(index + 1) % network.nodes.length];
  if (victim === undefined || witness === undefined) throw new Error(`no node ${index}`);
  const status = await rpcCall<{ validator_info: { address: string } }>(victim.rpc, "status");
  const { address } = status.validator_info;
  await victim.process.kill();
  const before = (await heightOf(witness.rpc)) ?? 0;
  const gapMs = await longestGapDuring(witness.rpc, () => sleep(DOWN_MS));
  const after = (await heightOf(witness.rpc)) ?? 0;
  victim.process.start();
  const deadline = performance.now() + REJOIN_MS;
  let signedAt: number | null = null;
  while (signedAt === null && performance.now() < deadline) {
    await sleep(POLL_MS);
    signedAt = await signedAbove(witness.rpc, after + 1, address);
  }
  return [
    {
      name: `the others kept committing while node${index} was killed`,
      ok: gapMs <= OUTAGE_GAP_MS_MAX,
      detail: `${after - before} blocks in ${DOWN_MS / 1000} s, longest wait for one ${Math.round(gapMs)} ms`,
    },
    {
      name: `node${index} came back, caught up and signed again`,
      ok: signedAt !== null,
      detail:
        signedAt === null
          ? `no signature of ${address} within ${REJOIN_MS / 1000} s: ${victim.process.logTail().slice(-300)}`
          : `first signature at height ${signedAt}`,
    },
  ];
}

/** The newest block is signed by the validator: its height, else null. */
async function signedAbove(rpc: string, least: number, address: string): Promise<number | null> {
  const newest = await heightOf(rpc);
  // The commit of the newest block is still being collected; the one below is in a block.
  if (newest === null || newest - 1 < least) return null;
  const signatures = await commitSignatures(rpc, newest - 1).catch(() => []);
  const signed = signatures.some(
    (each) => each.validator_address === address && each.block_id_flag === SIGNED,
  );
  return signed ? newest - 1 : null;
}
