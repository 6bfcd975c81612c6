/**
 * What the funds pay of a loss, in order: the fund of each class that made it, out of the protocol's own part first; the fund shared by all; then the
 * funds of other classes, as far as each has said beforehand that it may be assessed.
 */
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { maximum, minimum, mulDivDown } from "../kit/math/mul-div.ts";
import { emitPaid, emitReceived } from "./events.ts";
import { afterLoss, afterRecovery, available, drawnNow, HOUR_NS } from "./shares.ts";
import type { Fund, InsuranceState } from "./state.ts";
import { fundId } from "./state.ts";

const ASSESSMENT_PERIOD_NS = 30n * 24n * HOUR_NS;

/** Quanta that the markets of one class have lost; class empty: of none. */
export interface LossPart {
  readonly riskClass: string;
  readonly amount: bigint;
}

/** Who bore a part of a loss: the protocol alone, all holders of a fund, or those of another class. */
export interface Payment {
  readonly bearer: "treasury" | "fund" | "assessment";
  readonly riskClass: string;
  readonly amount: bigint;
  /** Of the protocol's shares that went for it. */
  readonly ownShares: bigint;
  /** Of the amount, quanta that count as an assessment. */
  readonly assessed: bigint;
}

/** Of what one fund has paid before. */
export type Recovery = Pick<Payment, "riskClass" | "amount" | "ownShares" | "assessed">;

export interface Paying {
  /** What a loss of the class may be paid with now, assessments apart: its own fund and the shared one. */
  available(ctx: ReadContext, denom: string, riskClass?: string): bigint;
  /** Of the one fund alone. */
  fundAvailable(ctx: ReadContext, denom: string, riskClass: string): bigint;
  fundBalance(ctx: ReadContext, denom: string, riskClass: string): bigint;
  /** What losses of other classes may take of the class's fund now. */
  assessable(ctx: ReadContext, denom: string, riskClass: string): bigint;
  /** Pays at most the sum of the parts, as far as the funds reach, and says who bore it. */
  allocate(ctx: WriteContext, denom: string, parts: readonly LossPart[]): readonly Payment[];
  /** A payment, or a part of one, is undone: balance, the protocol's shares, what counts as drawn and as assessed. */
  recover(ctx: WriteContext, denom: string, recovery: Recovery): void;
}

export function assessablePpm({ assessment }: Fund, nowNs: bigint): bigint {
  return BigInt(nowNs >= assessment.atNs ? assessment.nextPpm : assessment.sharePpm);
}

export function createPaying(
  state: InsuranceState,
  load: (ctx: ReadContext, denom: string, riskClass: string) => Fund,
): Paying {
  const availableOf = (ctx: ReadContext, fund: Fund): bigint =>
    available(fund, BigInt(state.params.require(ctx).drawCapPpm), ctx.header.timeNs);

  function assessableOf(ctx: ReadContext, fund: Fund): bigint {
    const share = assessablePpm(fund, ctx.header.timeNs);
    if (share === 0n || fund.riskClass === "") return 0n;
    const { taken: drawn, takenAtNs: drawnAtNs } = fund.assessment;
    const counted = { ...fund, drawn, drawnAtNs };
    const may = available(counted, share, ctx.header.timeNs, ASSESSMENT_PERIOD_NS);
    return minimum(may, availableOf(ctx, fund));
  }

  /** Takes exactly `paid` out of one fund; what the protocol's own part bore alone is named apart. */
  function take(
    ctx: WriteContext,
    fund: Fund,
    paid: bigint,
    report: { readonly reason: "deficit" | "assessment"; readonly wanted: bigint },
  ): Payment[] {
    const { denom, riskClass } = fund;
    const { firstLossPpm, drawCapPpm } = state.params.require(ctx);
    const { fund: after, firstLoss, burnt } = afterLoss(fund, paid, BigInt(firstLossPpm));
    const nowNs = ctx.header.timeNs;
    const assessment = report.reason === "assessment";
    state.funds.set(ctx, fundId(denom, riskClass), {
      ...after,
      paid: fund.paid + paid,
      ...afterDraw(fund, paid, BigInt(drawCapPpm), nowNs),
      assessment: assessment ? afterAssessment(fund, paid, nowNs) : fund.assessment,
    });
    const { balance } = after;
    emitPaid(ctx, { denom, riskClass, amount: paid, ...report, balance, firstLoss });
    const assessed = (amount: bigint): bigint => (assessment ? amount : 0n);
    const own = { riskClass, amount: firstLoss, ownShares: burnt, assessed: assessed(firstLoss) };
    const rest = paid - firstLoss;
    const shared = { riskClass, amount: rest, ownShares: 0n, assessed: assessed(rest) };
    const payments: Payment[] = [
      { bearer: "treasury", ...own },
      { bearer: assessment ? "assessment" : "fund", ...shared },
    ];
    return payments.filter(({ amount }) => amount > 0n);
  }

  /** What counts by now with what is paid, or less what is back (`paid` below zero). */
  function afterDraw(
    fund: Fund,
    paid: bigint,
    capPpm: bigint,
    nowNs: bigint,
  ): Pick<Fund, "drawn" | "drawnAtNs"> {
    if (capPpm === 0n) return { drawn: 0n, drawnAtNs: 0n };
    return { drawn: maximum(drawnNow(fund, capPpm, nowNs) + paid, 0n), drawnAtNs: nowNs };
  }

  function afterAssessment(fund: Fund, paid: bigint, nowNs: bigint): Fund["assessment"] {
    const { taken: drawn, takenAtNs: drawnAtNs } = fund.assessment;
    const counted = { ...fund, drawn, drawnAtNs };
    const before = drawnNow(counted, assessablePpm(fund, nowNs), nowNs, ASSESSMENT_PERIOD_NS);
    return { ...fund.assessment, taken: maximum(before + paid, 0n), takenAtNs: nowNs };
  }

  /** Other classes bear what is left in proportion to what each may be asked for, rounded down; the last ones, ascending, what that leaves. */
  function assess(
    ctx: WriteContext,
    denom: string,
    charged: ReadonlySet<string>,
    left: bigint,
  ): Payment[] {
    const others: { readonly fund: Fund; readonly may: bigint }[] = [];
    let all = 0n;
    state.funds.each(ctx, (_id, fund) => {
      if (fund.denom !== denom || charged.has(fund.riskClass)) return;
      const may = assessableOf(ctx, fund);
      if (may > 0n) others.push({ fund, may });
      all += may;
    });
    const wanted = minimum(left, all);
    const payments: Payment[] = [];
    let open = wanted;
    let rest = all;
    for (const { fund, may } of others) {
      // Of what is still open, by what is still there: sums to the whole without a last correction.
      const part = mulDivDown(open, may, rest);
      rest -= may;
      open -= part;
      if (part === 0n) continue;
      payments.push(...take(ctx, fund, part, { reason: "assessment", wanted: left }));
    }
    assert(open === 0n, `an assessment left ${open} open`);
    return payments;
  }

  return {
    available(ctx, denom, riskClass = "") {
      const shared = availableOf(ctx, load(ctx, denom, ""));
      return riskClass === "" ? shared : shared + availableOf(ctx, load(ctx, denom, riskClass));
    },
    fundAvailable: (ctx, denom, riskClass) => availableOf(ctx, load(ctx, denom, riskClass)),
    fundBalance: (ctx, denom, riskClass) => load(ctx, denom, riskClass).balance,
    assessable: (ctx, denom, riskClass) => assessableOf(ctx, load(ctx, denom, riskClass)),

    recover(ctx, denom, { amount, assessed, ownShares, riskClass }) {
      assert(
        amount >= 0n && ownShares >= 0n && assessed >= 0n && assessed <= amount,
        `a recovery of ${amount} with ${ownShares} shares, ${assessed} of it assessed`,
      );
      if (amount === 0n) return;
      const fund = load(ctx, denom, riskClass);
      const nowNs = ctx.header.timeNs;
      const after = afterRecovery(fund, amount, ownShares);
      const { drawCapPpm } = state.params.require(ctx);
      state.funds.set(ctx, fundId(denom, riskClass), {
        ...after,
        received: fund.received + amount,
        ...afterDraw(fund, -amount, BigInt(drawCapPpm), nowNs),
        assessment: assessed > 0n ? afterAssessment(fund, -assessed, nowNs) : fund.assessment,
      });
      const { balance } = after;
      emitReceived(ctx, { denom, riskClass, amount, reason: "recovery", balance });
    },

    allocate(ctx, denom, parts) {
      const payments: Payment[] = [];
      const reason = "deficit" as const;
      let left = 0n;
      for (const { riskClass, amount } of parts) {
        assert(amount >= 0n, `a deficit must not be negative, got ${amount}`);
        const fund = load(ctx, denom, riskClass);
        const paid = riskClass === "" ? 0n : minimum(amount, availableOf(ctx, fund));
        if (paid > 0n) payments.push(...take(ctx, fund, paid, { reason, wanted: amount }));
        left += amount - paid;
      }
      const fund = load(ctx, denom, "");
      const paid = minimum(left, availableOf(ctx, fund));
      if (paid > 0n) payments.push(...take(ctx, fund, paid, { reason, wanted: left }));
      left -= paid;
      if (left === 0n) return payments;
      const charged = new Set(parts.map(({ riskClass }) => riskClass));
      return [...payments, ...assess(ctx, denom, charged, left)];
    },
  };
}
