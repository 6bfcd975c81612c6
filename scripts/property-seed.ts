// Property tests try the same cases in every run, so that nothing fails by luck. KEEL_SEED chooses others; `npm run properties` tries many.
import fc from "fast-check";
import type { TestProject } from "vitest/node";

const seed = Number(process.env["KEEL_SEED"] ?? 1);
if (seed !== (seed | 0)) throw new Error(`KEEL_SEED: expected a whole number of 32 bits`);

/** Once a project. */
export function setup({ name }: TestProject): void {
  console.log(`${name}: KEEL_SEED=${seed}`);
}

fc.configureGlobal({ seed });
