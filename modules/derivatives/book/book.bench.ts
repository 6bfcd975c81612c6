import { bench, describe } from "vitest";
import { createKernelBench } from "./bench-kernel.ts";

describe("derivatives::book/resting=100000", () => {
  const dense = createKernelBench({ resting: 100_000, seed: 1, spreadTicks: 2_000 });
  bench("10,000 operations, 4,000 levels", () => void dense.run(10_000));
  const sparse = createKernelBench({ resting: 100_000, seed: 1, spreadTicks: 900_000 });
  bench("10,000 operations, about 95,000 levels", () => void sparse.run(10_000));
});
