/** Bench 1: the matching kernel alone. */
import { createKernelBench } from "@keel/modules/derivatives/book/bench-kernel";
import { ownSeconds } from "./machine.ts";
import type { Measurement } from "./report.ts";

const RESTING = 100_000;
const OPERATIONS = 1_000_000;
const MARK = 500_000;

export function benchKernel(): Measurement[] {
  const books = [
    { name: "matching kernel, 4,000 price levels", spreadTicks: 2_000 },
    { name: "matching kernel, 95,000 price levels", spreadTicks: 900_000 },
  ];
  return books.map(({ name, spreadTicks }) => {
    const bench = createKernelBench({ resting: RESTING, seed: 1, spreadTicks });
    bench.run(OPERATIONS / 5);
    const cpu = ownSeconds();
    const start = performance.now();
    const { fills, resting } = bench.run(OPERATIONS);
    const seconds = (performance.now() - start) / 1000;
    return {
      name,
      value: OPERATIONS / seconds,
      unit: "operations/s",
      mark: { atLeast: MARK },
      details: {
        "processor time per operation, µs": ((ownSeconds() - cpu) / OPERATIONS) * 1e6,
        operations: OPERATIONS,
        fills,
        "resting orders": resting,
      },
    };
  });
}
