/** What was read of a book belongs to a perpetual that is marked by it, and is in range. */
import type { Invariant } from "../../kit/module.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Venue } from "../venue.ts";
import { basisFault } from "./median.ts";

export function marksSound({ state }: Venue): Invariant {
  return (ctx) => {
    let fault: string | null = null;
    state.markBasis.each(ctx, (id, basis) => {
      const market = state.markets.get(ctx, id);
      const found =
        market?.terms?.mark === undefined
          ? "is not marked by its book"
          : basisFault(basis, BigInt(TICKS_MAX));
      if (found !== null) fault = `market ${id}: ${found}`;
      return fault !== null;
    });
    return fault;
  };
}
