/** Genesis of a market where everybody holds a position in each of so many contracts, half of them long: no trade is needed to get there. */
import { createAddresses } from "@keel/modules/kit/addresses";
import { defaultParams } from "@keel/modules/margin/params";
import { COLLATERAL_VAULT } from "@keel/modules/margin/state";
import { messageToJson } from "@keel/node/app/genesis";
import { GenesisState as DerivativesGenesis } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { Market, Params } from "@keel/proto/gen/keel/derivatives/v1/types";
import { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { Position } from "@keel/proto/gen/keel/margin/v1/types";

const DENOM = "uusdc";
/** As many as the ledger allows. */
const MARKETS_PER_ACCOUNT = 64;

export interface Holdings {
  /** An even number of owners, ascending by their bytes or not. */
  readonly owners: readonly string[];
  readonly prefix: string;
  /** In the order of their ids, which begin at 1. */
  readonly markets: readonly Market[];
  /** How many of them, the first ones, everybody holds. */
  readonly held: number;
  readonly lots: bigint;
  /** What a lot was opened at, in quanta. */
  readonly openedAt: bigint;
  readonly collateralQuanta: bigint;
  readonly params: Params;
}

/** Members of app_state: derivatives, margin, and the bank's with the vault's coins. */
export function holdingsState(holdings: Holdings): Record<string, unknown> {
  const { owners, prefix, markets, held, lots, openedAt, collateralQuanta, params } = holdings;
  const positions = (long: boolean): Position[] =>
    Array.from({ length: held }, (_, i) => {
      const signed = long ? lots : -lots;
      return {
        market: i + 1,
        lots: signed,
        quote: `${-signed * openedAt}`,
        fundingIndex: 0n,
        openBuyLots: 0n,
        openSellLots: 0n,
      };
    });
  const sides = [positions(true), positions(false)] as const;
  const count = BigInt(owners.length);
  const half = count / 2n;
  const collateral = `${count * collateralQuanta}`;
  const margin = MarginGenesis.fromPartial({
    params: { ...defaultParams(DENOM), marketsPerAccountMax: MARKETS_PER_ACCOUNT },
    accounts: owners.map((owner, i) => ({
      id: { owner, number: 0 },
      account: {
        collateral: `${collateralQuanta}`,
        feeReserve: "0",
        positions: sides[i % 2 === 0 ? 0 : 1],
      },
    })),
    markets: Array.from({ length: held }, (_, i) => ({
      market: i + 1,
      openQuote: "0",
      fundingWeight: "0",
      realised: "0",
      longLots: half * lots,
      shortLots: half * lots,
      positions: count,
    })),
    totals: {
      collateral,
      feesHeld: "0",
      pendingShortfall: "0",
      netDeposits: collateral,
      accounts: count,
    },
  });
  const derivatives = DerivativesGenesis.fromPartial({
    params,
    markets: markets.map((market) => ({ market })),
  });
  const vault = createAddresses(prefix).format(COLLATERAL_VAULT);
  return {
    bank: { balances: [{ address: vault, coins: [{ denom: DENOM, amount: collateral }] }] },
    margin: messageToJson("keel.margin.v1.GenesisState", MarginGenesis.encode(margin).finish()),
    derivatives: messageToJson(
      "keel.derivatives.v1.GenesisState",
      DerivativesGenesis.encode(derivatives).finish(),
    ),
  };
}
