/** What may be contained and what may not. */

/** A bug in the code, as opposed to a machine that can no longer be trusted (memory, stack, sizes), which must stop the process. */
export function asContained(error: unknown): Error {
  if (error instanceof RangeError || !(error instanceof Error)) throw error;
  return error;
}
