/** Where a fault in what is only read ends. */
import { OutOfGasError } from "./gas.ts";

/** What `read` returns, or `otherwise` where it faults; out of gas is the caller's, and out of memory or stack (any RangeError) the machine's: they go on up. */
export function readOr<V>(read: () => V, otherwise: () => V): V {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof OutOfGasError) throw error;
    return otherwise();
  }
}
