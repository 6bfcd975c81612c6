/** A fund on its own: coins that move are reported, a shortfall is what the test says. */

import { GenesisState } from "@keel/proto/gen/keel/insurance/v1/genesis";
import type { Params } from "@keel/proto/gen/keel/insurance/v1/types";
import { createAddresses, moduleAddress } from "../kit/addresses.ts";
import { Registry } from "../kit/collections/schema.ts";
import { type TestContext, testContext } from "../kit/testing/context.ts";
import { createInsurance, type Insurance } from "./module.ts";
import { defaultParams } from "./params.ts";
import { type FlowPort, type InventorySale, NO_ASSETS, UNCOUNTED } from "./ports.ts";

export const DENOM = "uusdc";
export const DAY_MS = 86_400_000n;
export const addresses: ReturnType<typeof createAddresses> = createAddresses("keel");
export const vault: Uint8Array = moduleAddress("margin");

/** Without genesis. */
export function createInsured(hooks: {
  readonly onTransfer: (to: Uint8Array, amount: bigint) => void;
  readonly shortfall: () => bigint;
  readonly flows?: FlowPort;
  readonly sale?: () => InventorySale;
}): { readonly ctx: TestContext; readonly insurance: Insurance } {
  const registry = new Registry();
  const insurance = createInsurance(registry.schema("insurance"), {
    addresses,
    vault,
    bank: { transfer: (_ctx, _from, to, _denom, amount) => hooks.onTransfer(to, amount) },
    shortfalls: {
      pendingShortfall: hooks.shortfall,
      recoverable: () => ({ amount: 0n, ownShares: 0n }),
    },
    assets: hooks.sale === undefined ? NO_ASSETS : { sale: hooks.sale },
    flows: hooks.flows ?? UNCOUNTED,
  });
  return { ctx: testContext(registry), insurance };
}

export function genesisOf({
  module,
}: Insurance): Extract<Insurance["module"]["genesis"], { kind: "proto" }> {
  if (module.genesis.kind !== "proto") throw new Error("expected proto genesis");
  return module.genesis;
}

/** One fund with this balance, a notice of a week, a quarter of losses first borne by what is the protocol's. */
export function underwrittenGenesis(params: Partial<Params>, balance: string): Uint8Array {
  const genesis = GenesisState.fromPartial({
    params: {
      ...defaultParams(),
      fundMin: "1",
      cooldownMs: 7n * DAY_MS,
      firstLossPpm: 250_000,
      ...params,
    },
    funds: [{ denom: DENOM, balance, funded: balance, received: "0", paid: "0" }],
  });
  return GenesisState.encode(genesis).finish();
}
