/** Margin's small world with the real insurance module, for tests of who pays. */

import { GenesisState } from "@keel/proto/gen/keel/insurance/v1/genesis";
import type { Params as InsuranceParams } from "@keel/proto/gen/keel/insurance/v1/types";
import { WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import { createInsurance, type Insurance } from "../insurance/module.ts";
import { defaultParams } from "../insurance/params.ts";
import { UNCOUNTED } from "../insurance/ports.ts";
import type { AccountId } from "../kit/account-id.ts";
import { createAddresses } from "../kit/addresses.ts";
import { COLLATERAL_VAULT } from "../margin/state.ts";
import { BTC, btcTerms, createWorld, DENOM, ETH, type World } from "../margin/testing/world.ts";

export interface InsuredWorld extends World {
  readonly insurance: Insurance;
  /** Coins from nowhere into the vault and one fund. */
  endow(amount: bigint, riskClass?: string): void;
  balance(riskClass?: string): bigint;
  set(params: Partial<WaterfallParams>): void;
  /** Lots change hands at a price, whatever anyone's margin. */
  trade(buyer: AccountId, seller: AccountId, lots: bigint, ticks: bigint, market?: number): void;
  /** Attributes of the events of a type so far. */
  reports(type: string): Record<string, string>[];
  /** Every "loss" so far, its lines by bearer. */
  losses(): { readonly attributes: Record<string, string>; readonly lines: Map<string, bigint> }[];
}

const GIVER = new Uint8Array(20).fill(0xee);

/** BTC is of class "major", ETH of class "minor"; both at 1,000 ticks of 1000 quanta a lot. */
export function createInsuredWorld(
  params: Parameters<typeof createWorld>[0] = {},
  insuranceParams: Partial<InsuranceParams> = {},
): InsuredWorld {
  const addresses = createAddresses("keel");
  let insurance: Insurance | undefined;
  const world = createWorld(params, (registry, bank, keeper) => {
    insurance = createInsurance(registry.schema("insurance"), {
      bank,
      addresses,
      vault: COLLATERAL_VAULT,
      shortfalls: {
        pendingShortfall: (ctx, denom) => keeper().countedShortfall(ctx, denom),
        recoverable: (ctx, denom, riskClass) => keeper().recoverable(ctx, denom, riskClass),
      },
      assets: { sale: (ctx, denom) => keeper().assets.sale(ctx, denom) },
      flows: UNCOUNTED,
    });
    return insurance.keeper;
  });
  const { ctx, markets, margin } = world;
  const funds = insurance as Insurance;
  if (funds.module.genesis.kind === "proto") {
    const genesis = GenesisState.fromPartial({
      params: { ...defaultParams(), ...insuranceParams },
      funds: [{ denom: DENOM, balance: "0", funded: "0", received: "0", paid: "0" }],
    });
    funds.module.genesis.init(ctx, GenesisState.encode(genesis).finish());
  }
  markets.list(ctx, btcTerms());
  markets.list(ctx, btcTerms({ id: ETH, symbol: "ETH-PERP", feedId: ETH }));
  markets.setMark(ctx, BTC, 1_000n);
  markets.setMark(ctx, ETH, 1_000n);
  for (const riskClass of ["major", "minor"]) funds.keeper.setFund(ctx, DENOM, riskClass, 0);
  const set: InsuredWorld["set"] = (over) => {
    const feeds = [
      { feedId: BTC, riskClass: "major" },
      { feedId: ETH, riskClass: "minor" },
    ];
    margin.state.waterfall.params.set(ctx, WaterfallParams.fromPartial({ feeds, ...over }));
  };
  set({});
  const reports: InsuredWorld["reports"] = (type) =>
    ctx.events
      .filter((event) => event.type === type)
      .map(({ attributes }) =>
        Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
      );
  return {
    ...world,
    insurance: funds,
    set,
    endow(amount, riskClass = "") {
      world.bank.mint(ctx, GIVER, amount);
      funds.keeper.fund(ctx, GIVER, DENOM, amount, riskClass);
    },
    balance: (riskClass = "") => funds.keeper.fundBalance(ctx, DENOM, riskClass),
    trade(buyer, seller, lots, ticks, market = BTC) {
      const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
      margin.keeper.clear(ctx, {
        market,
        priceTicks: ticks,
        lots,
        buyer: party(buyer),
        seller: party(seller),
        taker: "buy",
        kind: "deleverage",
      });
    },
    reports,
    losses: () =>
      reports("loss").map((attributes) => ({
        attributes,
        lines: new Map(
          (attributes["lines"] ?? "").split(",").map((line) => {
            const [bearer = "", quanta = ""] = line.split("=");
            return [bearer, BigInt(quanta)] as const;
          }),
        ),
      })),
  };
}
