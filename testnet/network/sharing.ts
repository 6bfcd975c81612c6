/**
 * How validators share the processors of one machine. Alone, each spreads over threads what it can; where there are fewer than two
 * processors for each, those threads only compete with the other validators' and every hand-over is paid for nothing.
 */
import type { FileValues } from "@keel/node/config/template";

export interface Share {
  readonly config: FileValues;
  /** For the engine. */
  readonly execArgv: readonly string[];
}

export function shareOf(validators: number, processors: number): Share {
  if (processors >= 2 * validators) return { config: {}, execArgv: [] };
  return {
    // Signatures are checked in place: as many checks, without packing, sending and waking another thread.
    config: { "crypto.workers": 0 },
    // Collecting young objects on several threads at once takes an eighth more processor time in all.
    execArgv: ["--no-parallel-scavenge"],
  };
}
