/** What always holds of dynamic margin. */
import type { ReadContext } from "../../kit/context.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import type { VolatilityState } from "./state.ts";

/** Terms and measurement come in pairs; multipliers lie in their bounds, that of maintenance not above that of initial margin. */
export function volatilityFault(ctx: ReadContext, state: VolatilityState): string | null {
  let fault: string | null = null;
  state.measured.each(ctx, (feedId, { initialPpm, maintenancePpm }) => {
    const terms = state.terms.get(ctx, feedId);
    if (terms === undefined) fault = `feed ${feedId} is measured without terms`;
    else if (
      maintenancePpm < PPM ||
      initialPpm < maintenancePpm ||
      initialPpm > terms.multiplierMaxPpm
    )
      fault = `feed ${feedId} multiplies initial margin by ${initialPpm} and maintenance by ${maintenancePpm} ppm`;
    return fault !== null;
  });
  if (fault !== null) return fault;
  const [terms, measured] = [state.terms.size(ctx), state.measured.size(ctx)];
  return terms === measured ? null : `${terms} feeds have terms, ${measured} are measured`;
}
