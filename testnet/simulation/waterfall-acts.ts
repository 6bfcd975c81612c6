/** Who bears losses, as the authority decides it over a run: funds of two classes, the order of payments, and what it tries instead. */
import type { Random } from "@keel/modules/derivatives/random";
import {
  MsgFund,
  MsgSetFund,
  MsgUpdateParams as MsgUpdateInsurance,
} from "@keel/proto/gen/keel/insurance/v1/tx";
import { MsgSetWaterfall, type WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import { DENOM, insuranceTerms } from "./genesis.ts";
import type { PlannedMessage } from "./operation.ts";
import { FEEDS } from "./prices.ts";

const INSURANCE = "/keel.insurance.v1.";
const UNIT = 1_000_000n;

/** Losses on ETH are the shared fund's. */
export const RISK_CLASSES: readonly string[] = ["btc", "sol"];
/** So little, in units, that a crash spends it. */
const OPENING: Readonly<Record<string, bigint>> = { btc: 1_500n, sol: 800n, "": 6_000n };

function gift(sender: string, riskClass: string, units: bigint): PlannedMessage {
  const amount = `${units * UNIT}`;
  const value = MsgFund.fromPartial({ sender, denom: DENOM, riskClass, amount });
  return { typeUrl: `${INSURANCE}MsgFund`, value };
}

function fundTerms(authority: string, riskClass: string, assessablePpm: number): PlannedMessage {
  const value = MsgSetFund.fromPartial({ authority, denom: DENOM, riskClass, assessablePpm });
  return { typeUrl: `${INSURANCE}MsgSetFund`, value };
}

function waterfall(authority: string, params: Partial<WaterfallParams> | null): PlannedMessage {
  const usual: Partial<WaterfallParams> = {
    feeds: [
      { feedId: FEEDS.btc, riskClass: "btc" },
      { feedId: FEEDS.sol, riskClass: "sol" },
    ],
    gainsHaircutPpm: 500_000,
  };
  const value = MsgSetWaterfall.fromPartial(
    params === null ? { authority } : { authority, params: { ...usual, ...params } },
  );
  return { typeUrl: "/keel.margin.v1.MsgSetWaterfall", value };
}

/** In the first block. */
export function openingFunds(authority: string): PlannedMessage[] {
  return [
    ...RISK_CLASSES.map((riskClass) => fundTerms(authority, riskClass, 200_000)),
    ...Object.entries(OPENING).map(([riskClass, units]) => gift(authority, riskClass, units)),
    waterfall(authority, {}),
  ];
}

/** A class that has no fund. */
export function wrongWaterfall(authority: string): PlannedMessage {
  return waterfall(authority, { feeds: [{ feedId: FEEDS.eth, riskClass: "nobody" }] });
}

/** Mostly what was there at first with other shares; now and then no classes, or too much of the gains. */
export function anotherWaterfall(random: Random, authority: string): PlannedMessage {
  const dice = random.below(9);
  if (dice === 0) return waterfall(authority, null);
  if (dice === 1) return waterfall(authority, { gainsHaircutPpm: 600_000 });
  return waterfall(authority, {
    deleverageSharePpm: random.below(2) * 300_000,
    hedgesLast: random.below(2) === 0,
    gainsHaircutPpm: 100_000 + random.below(400_001),
  });
}

/** Terms of a fund, now and then of one without a name. Seldom so much for the shared one that nothing waits any more, and some is left when a market settles. */
export function anotherFund(
  random: Random,
  authority: string,
  pendingQuanta: bigint,
): PlannedMessage {
  if (random.below(10) === 0) return gift(authority, "", pendingQuanta / UNIT + 4_000n);
  const riskClass = random.below(6) === 0 ? "" : (RISK_CLASSES[random.below(2)] ?? "");
  if (random.below(3) === 0) return gift(authority, riskClass, BigInt(50 + random.below(300)));
  return fundTerms(authority, riskClass, random.below(4) * 150_000);
}

function insurance(
  authority: string,
  change: Partial<ReturnType<typeof insuranceTerms>>,
): PlannedMessage {
  const params = { ...insuranceTerms(authority), ...change };
  const value = MsgUpdateInsurance.fromPartial({ authority, params });
  return { typeUrl: `${INSURANCE}MsgUpdateParams`, value };
}

/** More than everything may be drawn. */
export function wrongInsurance(authority: string): PlannedMessage {
  return insurance(authority, { drawCapPpm: 2_000_000 });
}

/** Now and then closed for underwriters. */
export function insuranceAct(random: Random, authority: string): PlannedMessage {
  if (random.below(5) === 0) return insurance(authority, { cooldownMs: 0n });
  return insurance(authority, { fundMin: `${1 + random.below(2_000)}` });
}
