/** Blocks of the state machine, decided one after another and timed: decoded, executed, hashed into the trees, committed in memory. */
import type { TestChain } from "@keel/node/app/testing/chain";
import type { SignatureVerifier } from "@keel/node/crypto/verifier";
import { createVerifier } from "@keel/node/crypto/verifier";
import { ownSeconds } from "./machine.ts";
import { type Measurement, percentile } from "./report.ts";

interface TimedBlock {
  readonly seconds: number;
  readonly cpu: number;
  readonly failed: readonly string[];
}

/** Every signature is taken for good: what signatures cost is another bench. */
export function trusting(): SignatureVerifier {
  const real = createVerifier({ backend: "native", workers: 0 });
  return { ...real, verifySecp256k1: () => true };
}

/** Throws when a fault was contained: what follows one is not the work that is measured. */
export async function timedBlock(
  chain: TestChain,
  txs: readonly Uint8Array[],
): Promise<TimedBlock> {
  const cpu = ownSeconds();
  const start = performance.now();
  const { txResults } = await chain.decide(txs);
  const seconds = (performance.now() - start) / 1000;
  const [fault] = chain.faults;
  if (fault !== undefined) throw new Error(`contained fault: ${fault.error.message}`);
  return {
    seconds,
    cpu: ownSeconds() - cpu,
    failed: txResults.flatMap(({ code, log }) => (code === 0 ? [] : [log])),
  };
}

/** `items`: what was done in all of the blocks, called `noun`. */
export function blocksMeasurement(
  name: string,
  runs: readonly TimedBlock[],
  counted: { readonly items: number; readonly noun: string; readonly mark: Measurement["mark"] },
): Measurement {
  const { items, noun, mark } = counted;
  const sum = (pick: (run: TimedBlock) => number): number =>
    runs.reduce((total, run) => total + pick(run), 0);
  const milliseconds = runs.map(({ seconds }) => seconds * 1000);
  const [firstRefusal] = runs.flatMap(({ failed }) => failed);
  return {
    name,
    value: items / sum(({ seconds }) => seconds),
    unit: `${noun}s/s`,
    mark,
    details: {
      [`processor time per ${noun}, µs`]: (sum(({ cpu }) => cpu) / items) * 1e6,
      [`${noun}s per processor second`]: items / sum(({ cpu }) => cpu),
      "block p50, ms": percentile(milliseconds, 50),
      "block p99, ms": percentile(milliseconds, 99),
      blocks: runs.length,
      [`${noun}s refused by the market, %`]: (sum(({ failed }) => failed.length) / items) * 100,
      ...(firstRefusal === undefined ? {} : { "first refusal": firstRefusal }),
    },
  };
}
