/** Parameters of insurance: defaults and what is refused. */

import type { Params } from "@keel/proto/gen/keel/insurance/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import { parsePositiveMoney } from "../kit/money.ts";
import { refuse } from "./errors.ts";

/** Denoms as bank writes them. */
const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;
/** A year: who cannot leave for longer has given, not lent. */
const COOLDOWN_MS_MAX = 31_536_000_000n;
/**
 * 100 units. Less is no contribution, and a fund begun with a speck is one whose income makes a share so dear that others cannot buy any: 100 units
 * begin with 10^14 shares, of which who puts in 100 gets the least number until the fund holds ten billion.
 */
const FUND_MIN_DEFAULT = "100000000";
/**
 * A quarter. What is spent comes back by itself, since assets are sold at a discount to whoever comes; but in a crash nobody may come for a while, and a
 * price may be wrong or an asset frozen: the money for losses has to outlast that. Debt that waits for the next block is backed by what it waits for.
 */
const PURCHASE_CAP_PPM_DEFAULT = 250_000;

/** Authority empty: genesis fills in the governance account. */
export function defaultParams(): Params {
  return {
    authority: "",
    fundMin: FUND_MIN_DEFAULT,
    cooldownMs: 0n,
    firstLossPpm: 0,
    drawCapPpm: 0,
    purchaseCapPpm: PURCHASE_CAP_PPM_DEFAULT,
  };
}

export function isDenom(text: string): boolean {
  return DENOM.test(text);
}

/** Name of a risk class. */
export function isRiskClass(text: string): boolean {
  return /^[a-z0-9-]{1,32}$/.test(text);
}

export function validateParams(params: Params, addresses: Addresses): void {
  if (params.authority !== "") addresses.parse(params.authority);
  if (parsePositiveMoney(params.fundMin) === null) {
    throw refuse("invalidRequest", `expected a positive minimum, got "${params.fundMin}"`);
  }
  if (params.cooldownMs > COOLDOWN_MS_MAX) {
    throw refuse(
      "invalidRequest",
      `expected a wait of at most ${COOLDOWN_MS_MAX} ms, got ${params.cooldownMs}`,
    );
  }
  for (const [name, ppm] of [
    ["first_loss_ppm", params.firstLossPpm],
    ["draw_cap_ppm", params.drawCapPpm],
    ["purchase_cap_ppm", params.purchaseCapPpm],
  ] as const) {
    if (ppm > 1_000_000)
      throw refuse("invalidRequest", `expected ${name} of at most 1000000, got ${ppm}`);
  }
}
