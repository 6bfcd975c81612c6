/** Collateral beside the settlement asset: one that the oracle prices, and a restricted one whose issuer and attestor is the first agent. */
import { newOrder, place } from "@keel/modules/derivatives/simulate-kit";
import {
  CollateralAsset,
  CollateralTerms,
  MsgAllowCollateralHolder,
  MsgAttestCollateralPrice,
  MsgBuyCollateral,
  MsgFreezeCollateral,
  MsgSetCollateralAsset,
} from "@keel/proto/gen/keel/margin/v1/collateral";
import { MsgDeposit, MsgTransfer, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import type { Agent } from "./agents.ts";
import { type At, one, type PlannedMessage, type SimulationOperation } from "./operation.ts";
import { FEEDS } from "./prices.ts";

const UNIT = 1_000_000n;
const MARGIN = "/keel.margin.v1.";
const ETHER = "uether";
const BOND = "ubond";
export const COLLATERAL_DENOMS: readonly string[] = [BOND, ETHER];
/** Where nothing but assets is deposited. */
const APART = 2;

function etherTerms(): CollateralTerms {
  return CollateralTerms.fromPartial({
    denom: ETHER,
    decimals: 6,
    feedId: FEEDS.eth,
    haircut: { initialPpm: 150_000n, maintenancePpm: 80_000n },
    cap: `${400n * UNIT}`,
    ownerSharePpm: 100_000n,
    depositMin: "10000",
    debtPpm: 1_000n,
    saleDiscountPpm: 10_000n,
    depeg: { feedId: FEEDS.volatility, thresholdPpm: 300_000n, factorPpm: 500_000n },
  });
}

function bondTerms(issuer: string): CollateralTerms {
  return CollateralTerms.fromPartial({
    denom: BOND,
    decimals: 6,
    haircut: { initialPpm: 60_000n, maintenancePpm: 40_000n },
    cap: `${2_000_000n * UNIT}`,
    ownerSharePpm: 20_000n,
    depositMin: "1000000",
    debtPpm: 1_000n,
    saleDiscountPpm: 5_000n,
    restriction: { issuer, attestor: issuer, attestationMaxAgeMs: 600_000n, fadeMs: 3_600_000n },
  });
}

export function openingAssets(agents: readonly Agent[]): CollateralAsset[] {
  const issuer = agents[0]?.account.address ?? "";
  return [bondTerms(issuer), etherTerms()].map((terms) =>
    CollateralAsset.fromPartial({ terms, held: "0", inventory: "0", attestedPrice: "0" }),
  );
}

/** The authority: other haircuts, some of them too much at once; or an end that holders prevent. */
export function otherTerms(authority: string, dice: number): PlannedMessage {
  const ppm = BigInt(60_000 + 20_000 * (dice % 6));
  const haircut =
    dice === 7
      ? { initialPpm: 990_000n, maintenancePpm: 990_000n }
      : { initialPpm: ppm + 50_000n, maintenancePpm: ppm };
  const terms = dice === 6 ? undefined : { ...etherTerms(), haircut };
  return {
    typeUrl: `${MARGIN}MsgSetCollateralAsset`,
    value: MsgSetCollateralAsset.fromPartial({ authority, denom: ETHER, terms }),
  };
}

function milli(at: At, most: number): string {
  return `${BigInt(10 + at.random.below(most)) * 1_000n}`;
}

function deposit(at: At, denom: string, amount: string, subaccount = at.account.subaccount) {
  const value = MsgDeposit.fromPartial({ sender: at.account.owner, subaccount, denom, amount });
  return { typeUrl: `${MARGIN}MsgDeposit`, value };
}

function withdraw(at: At, denom: string, amount: string, subaccount: number) {
  const value = MsgWithdraw.fromPartial({ sender: at.account.owner, subaccount, denom, amount });
  return { typeUrl: `${MARGIN}MsgWithdraw`, value };
}

function issuerOf({ agents }: At): string {
  return agents[0]?.account.address ?? "";
}

export const collateralOperations: readonly SimulationOperation[] = [
  {
    name: "collateral: ether, and an order on it",
    weight: 12,
    create(at) {
      const account = { ...at.account, subaccount: APART };
      const size = newOrder(at.market, at.random, { type: 2, price: "" }, 1500);
      return { messages: [deposit(at, ETHER, milli(at, 900), APART), place(account, size)] };
    },
  },
  {
    name: "collateral: ether beside cash",
    weight: 6,
    create: (at) => ({ messages: [deposit(at, ETHER, milli(at, 2_000))] }),
  },
  {
    name: "collateral: ether back",
    weight: 6,
    create: (at) => ({
      messages: [withdraw(at, ETHER, milli(at, 500), at.random.below(2) * APART)],
    }),
  },
  {
    name: "collateral: ether to another sub-account",
    weight: 3,
    create: (at) =>
      one(
        `${MARGIN}MsgTransfer`,
        MsgTransfer.fromPartial({
          sender: at.account.owner,
          fromSubaccount: APART,
          toSubaccount: at.account.subaccount,
          denom: ETHER,
          amount: milli(at, 300),
        }),
      ),
  },
  {
    name: "collateral: bonds",
    weight: 8,
    create: (at) => ({ messages: [deposit(at, BOND, `${milli(at, 30_000)}000`)] }),
  },
  {
    name: "collateral: bonds back",
    weight: 4,
    create: (at) => ({
      messages: [withdraw(at, BOND, `${milli(at, 3_000)}000`, at.account.subaccount)],
    }),
  },
  {
    name: "collateral: too little",
    weight: 1,
    wrong: true,
    create: (at) => ({ messages: [deposit(at, ETHER, "9")] }),
  },
  {
    name: "collateral: who may hold bonds",
    weight: 8,
    create: (at) =>
      one(
        `${MARGIN}MsgAllowCollateralHolder`,
        MsgAllowCollateralHolder.fromPartial({
          issuer: issuerOf(at),
          denom: BOND,
          holder: at.account.owner,
          allowed: at.random.below(6) > 0,
        }),
      ),
  },
  {
    name: "collateral: what a bond is worth",
    weight: 6,
    create: (at) =>
      one(
        `${MARGIN}MsgAttestCollateralPrice`,
        MsgAttestCollateralPrice.fromPartial({
          attestor: issuerOf(at),
          denom: BOND,
          price: `0.9${at.random.below(90) + 10}1`,
        }),
      ),
  },
  {
    name: "collateral: bonds are frozen, or not",
    weight: 3,
    create: (at) =>
      one(
        `${MARGIN}MsgFreezeCollateral`,
        MsgFreezeCollateral.fromPartial({
          issuer: issuerOf(at),
          denom: BOND,
          frozen: at.random.below(3) === 0,
        }),
      ),
  },
  {
    name: "collateral: of the fund",
    weight: 6,
    create(at) {
      const { keel, ctx, random, account } = at;
      const denom = COLLATERAL_DENOMS[random.below(2)] ?? ETHER;
      const inventory = BigInt(keel.margin.assets.require(ctx, denom).inventory);
      if (inventory === 0n) return null;
      const value = MsgBuyCollateral.fromPartial({
        buyer: account.owner,
        denom,
        units: `${random.below(2) === 0 ? inventory : 1n + inventory / 2n}`,
        costMax: `${100_000n * UNIT}`,
      });
      return one(`${MARGIN}MsgBuyCollateral`, value);
    },
  },
];
