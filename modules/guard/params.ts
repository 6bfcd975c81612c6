/** Parameters: defaults with their reasons, and what is refused. */
import type { Params } from "@keel/proto/gen/keel/guard/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import { moduleAddress } from "../kit/addresses.ts";
import { refuse } from "./errors.ts";
import { EMERGENCY_MAX_MS } from "./limits.ts";

export function defaultParams(): Params {
  return {
    // Empty until genesis fills in the governance account.
    authority: "",
    emergencyKey: "",
    emergencyMaxMs: 0n,
  };
}

/** The authority as text; genesis may leave it empty for the governance module account. */
export function withAuthority(params: Params, addresses: Addresses): Params {
  if (params.authority !== "") return params;
  return { ...params, authority: addresses.format(moduleAddress("gov")) };
}

export function validateParams(params: Params, addresses: Addresses): void {
  if (params.authority !== "") addresses.parse(params.authority);
  if (params.emergencyKey !== "") addresses.parse(params.emergencyKey);
  if (params.emergencyMaxMs > EMERGENCY_MAX_MS) {
    throw refuse(
      "invalidRequest",
      `expected emergency_max_ms of at most ${EMERGENCY_MAX_MS}, got ${params.emergencyMaxMs}`,
    );
  }
  if ((params.emergencyKey === "") !== (params.emergencyMaxMs === 0n)) {
    throw refuse("invalidRequest", "expected an emergency key with its time, or neither");
  }
}
