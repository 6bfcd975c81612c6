/** Parameters: defaults with their reasons, and what is refused. */
import type { Params } from "@keel/proto/gen/keel/guard/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import { refuse } from "./errors.ts";
import {
  EMERGENCY_MAX_MS,
  EMERGENCY_TOTAL_MAX_MS,
  EMERGENCY_USES,
  RAISE_MAX_PPM,
} from "./limits.ts";
import { validateOutage } from "./rules.ts";

/** Nothing is watched and nobody has the key. */
export function defaultParams(): Params {
  return {
    // Empty until genesis fills in the governance account.
    authority: "",
    emergencyKey: "",
    emergencyMaxMs: 0n,
    emergencyRaiseMaxPpm: 0n,
    outage: undefined,
    emergencyTotalMaxMs: 0n,
  };
}

/** What the emergency key may hold within its period. */
export function emergencyTotalMs({ emergencyMaxMs, emergencyTotalMaxMs }: Params): bigint {
  return emergencyTotalMaxMs === 0n ? EMERGENCY_USES * emergencyMaxMs : emergencyTotalMaxMs;
}

export function validateParams(params: Params, addresses: Addresses): void {
  const { authority, emergencyKey, emergencyMaxMs, emergencyRaiseMaxPpm, outage } = params;
  const { emergencyTotalMaxMs: total } = params;
  if (authority !== "") addresses.parse(authority);
  if (emergencyKey !== "") addresses.parse(emergencyKey);
  if (emergencyMaxMs > EMERGENCY_MAX_MS) {
    throw refuse(
      "invalidRequest",
      `expected emergency_max_ms of at most ${EMERGENCY_MAX_MS}, got ${emergencyMaxMs}`,
    );
  }
  if ((emergencyKey === "") !== (emergencyMaxMs === 0n)) {
    throw refuse("invalidRequest", "expected an emergency key with its time, or neither");
  }
  if (emergencyRaiseMaxPpm > (emergencyKey === "" ? 0n : RAISE_MAX_PPM)) {
    throw refuse("invalidRequest", "expected a smaller emergency_raise_max_ppm");
  }
  const bounded = total >= emergencyMaxMs && total <= EMERGENCY_TOTAL_MAX_MS;
  if (total !== 0n && (emergencyKey === "" || !bounded)) {
    throw refuse(
      "invalidRequest",
      `expected emergency_total_max_ms of ${emergencyMaxMs} to ${EMERGENCY_TOTAL_MAX_MS}, got ${total}`,
    );
  }
  if (outage !== undefined) validateOutage(outage);
}
