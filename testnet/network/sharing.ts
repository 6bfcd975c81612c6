/**
 * How validators share the processors of one machine. Alone, each spreads over threads what it can; where processors are few, those
 * threads only compete with main threads, and every hand-over between them is paid for nothing.
 */
import type { FileValues } from "@keel/node/config/template";

export interface Share {
  readonly config: FileValues;
  /** For the engine. */
  readonly execArgv: readonly string[];
}

export function shareOf(validators: number, processors: number): Share {
  return {
    // Signatures are checked in place: as many checks, without packing, sending and waking another thread.
    config: processors < 2 * validators ? { "crypto.workers": 0 } : {},
    // Collecting young objects on several threads at once takes an eighth more processor time in all, and less of the main thread's. The parent may
    // have been told otherwise for itself.
    execArgv: [processors < 2 * validators ? "--no-parallel-scavenge" : "--parallel-scavenge"],
  };
}
