import { MsgSetFund, MsgUnderwrite } from "@keel/proto/gen/keel/insurance/v1/tx";
import { beforeEach, describe, expect, test } from "vitest";
import { moduleAddress } from "../kit/addresses.ts";
import type { TestContext } from "../kit/testing/context.ts";
import type { Insurance } from "./module.ts";
import { addresses, createInsured, DENOM, genesisOf, underwrittenGenesis } from "./testing.ts";

const ann = new Uint8Array(20).fill(1);
const bob = new Uint8Array(20).fill(2);

let shortfall: bigint;
/** What went out of the vault, less what came in, by receiver. */
let moved: [Uint8Array, bigint][];
let ctx: TestContext;
let insurance: Insurance;

function build(): Insurance {
  const made = createInsured({
    onTransfer: (to, amount) => void moved.push([to, amount]),
    shortfall: () => shortfall,
  });
  ctx = made.ctx;
  return made.insurance;
}

function start(params = {}, balance = "1000000"): void {
  insurance = build();
  genesisOf(insurance).init(ctx, underwrittenGenesis(params, balance));
}

beforeEach(() => {
  shortfall = 0n;
  moved = [];
  start();
});

function send(sender: Uint8Array, type: "MsgUnderwrite", value: object): unknown {
  const route = insurance.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${type}`));
  const message = MsgUnderwrite.fromPartial({
    sender: addresses.format(sender),
    denom: DENOM,
    ...value,
  });
  route?.validate(message);
  return route?.handle(ctx.signedBy(sender), message);
}

/** A message of the authority. */
function authority(type: "MsgSetFund", value: object): unknown {
  const route = insurance.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${type}`));
  const gov = moduleAddress("gov");
  const message = MsgSetFund.fromPartial({ authority: addresses.format(gov), ...value });
  route?.validate(message);
  return route?.handle(ctx.signedBy(gov), message);
}

const balance = () => insurance.keeper.balance(ctx, DENOM);
const days = (count: number) => ctx.nextBlock(count * 86_400);
const faults = () => {
  const { running, full } = insurance.module.invariants;
  return [...Object.values(running), ...Object.values(full)].map((holds) => holds(ctx));
};
describe("the fund of a risk class", () => {
  const setFund = (riskClass: string, assessablePpm = 0) =>
    authority("MsgSetFund", { denom: DENOM, riskClass, assessablePpm });

  test("is opened by the authority, takes gifts and underwriters, and has its own shares", () => {
    setFund("major");
    insurance.keeper.fund(ctx, bob, DENOM, 500n, "major");
    send(ann, "MsgUnderwrite", { amount: "1500", riskClass: "major" });
    const fund = insurance.state.funds.get(ctx, `${DENOM}#major`);
    expect(fund).toMatchObject({ balance: 2_000n, shares: 2_000_000_000n });
    expect(balance()).toBe(1_002_000n);
    expect(insurance.keeper.fundBalance(ctx, DENOM, "")).toBe(1_000_000n);
    expect(faults().every((fault) => fault === null)).toBe(true);
    const bytes = genesisOf(insurance).export(ctx);
    const other = build();
    genesisOf(other).init(ctx, bytes);
    expect(genesisOf(other).export(ctx)).toEqual(bytes);
  });

  test("bears what it is asked for first out of the protocol's own part", () => {
    setFund("major");
    insurance.keeper.fund(ctx, bob, DENOM, 1_000n, "major");
    send(ann, "MsgUnderwrite", { amount: "1000", riskClass: "major" });
    expect(insurance.keeper.allocate(ctx, DENOM, [{ riskClass: "major", amount: 400n }])).toEqual([
      {
        ...{ bearer: "treasury", riskClass: "major", amount: 100n },
        ...{ ownShares: 100_000_000n, assessed: 0n },
      },
      { bearer: "fund", riskClass: "major", amount: 300n, ownShares: 0n, assessed: 0n },
    ]);
  });

  test("is assessed for other classes in proportion to what each may be asked, and for thirty days no more", () => {
    start({ cooldownMs: 0n }, "0");
    for (const [riskClass, gift, share] of [
      ["a", 100_000n, 0],
      ["b", 100_000n, 100_000],
      ["c", 100_000n, 200_000],
    ] as const) {
      setFund(riskClass, share);
      insurance.keeper.fund(ctx, bob, DENOM, gift, riskClass);
    }
    const loss = [{ riskClass: "a", amount: 115_000n }];
    expect(insurance.keeper.allocate(ctx, DENOM, loss)).toMatchObject([
      { bearer: "treasury", riskClass: "a", amount: 100_000n },
      { bearer: "treasury", riskClass: "b", amount: 5_000n, assessed: 5_000n },
      { bearer: "treasury", riskClass: "c", amount: 10_000n, assessed: 10_000n },
    ]);
    const again = insurance.keeper.allocate(ctx, DENOM, [{ riskClass: "a", amount: 1_000_000n }]);
    expect(again.reduce((sum, { amount }) => sum + amount, 0n)).toBe(15_000n);
    days(31);
    expect(insurance.keeper.assessable(ctx, DENOM, "c")).toBe(16_000n);
  });

  test("may pay what it paid before, once that is back: neither the cap nor an assessment counts it", () => {
    start({ cooldownMs: 0n, drawCapPpm: 200_000 }, "0");
    for (const [riskClass, share] of [
      ["a", 0],
      ["b", 100_000],
    ] as const) {
      setFund(riskClass, share);
      insurance.keeper.fund(ctx, bob, DENOM, 100_000n, riskClass);
    }
    const { allocate, assessable, fundAvailable, recover } = insurance.keeper;
    const may = () => [
      fundAvailable(ctx, DENOM, "a"),
      fundAvailable(ctx, DENOM, "b"),
      assessable(ctx, DENOM, "b"),
    ];
    const before = may();
    expect(before).toEqual([20_000n, 20_000n, 10_000n]);
    const paid = allocate(ctx, DENOM, [{ riskClass: "a", amount: 30_000n }]);
    expect(may()).toEqual([0n, 10_000n, 0n]);
    for (const payment of paid) recover(ctx, DENOM, payment);
    expect(may()).toEqual(before);
    // What leaks meanwhile is not counted twice.
    const again = allocate(ctx, DENOM, [{ riskClass: "a", amount: 20_000n }]);
    ctx.nextBlock(1_800);
    for (const payment of again) recover(ctx, DENOM, payment);
    expect(may()).toEqual(before);
    expect(faults().every((fault) => fault === null)).toBe(true);
  });

  test("raises what it may be assessed for only after underwriters could have left", () => {
    setFund("major", 100_000);
    insurance.keeper.fund(ctx, bob, DENOM, 1_000_000n, "major");
    send(ann, "MsgUnderwrite", { amount: "1000000", riskClass: "major" });
    setFund("major", 500_000);
    expect(insurance.keeper.assessable(ctx, DENOM, "major")).toBe(200_000n);
    days(7);
    expect(insurance.keeper.assessable(ctx, DENOM, "major")).toBe(1_000_000n);
    setFund("major", 0);
    expect(insurance.keeper.assessable(ctx, DENOM, "major")).toBe(0n);
  });

  test.each([
    ["a name that is none", () => setFund("Major"), "risk class"],
    ["no name", () => setFund(""), "risk class"],
    ["more than all", () => setFund("major", 1_000_001), "assessable_ppm"],
    [
      "a class without fund",
      () => send(ann, "MsgUnderwrite", { amount: "5", riskClass: "other" }),
      'class "other"',
    ],
  ])("with %s is refused", (_, act, message) => {
    expect(act).toThrow(message);
  });
});
