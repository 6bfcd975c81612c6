import { GenesisState } from "@keel/proto/gen/keel/insurance/v1/genesis";
import {
  MsgGiveNotice,
  MsgUnderwrite,
  MsgUpdateParams,
} from "@keel/proto/gen/keel/insurance/v1/tx";
import { beforeEach, describe, expect, test } from "vitest";
import { moduleAddress } from "../kit/addresses.ts";
import type { TestContext } from "../kit/testing/context.ts";
import type { Insurance } from "./module.ts";
import { defaultParams } from "./params.ts";
import {
  addresses,
  createInsured,
  DAY_MS,
  DENOM,
  genesisOf,
  underwrittenGenesis,
} from "./testing.ts";

const ann = new Uint8Array(20).fill(1);
const bob = new Uint8Array(20).fill(2);

let shortfall: bigint;
/** What went out of the vault, less what came in, by receiver. */
let moved: [Uint8Array, bigint][];
/** What was told to who counts flows: in, and out. */
let counted: bigint[];
let ctx: TestContext;
let insurance: Insurance;

function build(): Insurance {
  const made = createInsured({
    onTransfer: (to, amount) => void moved.push([to, amount]),
    shortfall: () => shortfall,
    flows: {
      deposited: (_ctx, _denom, amount) => void counted.push(amount),
      left: (_ctx, _denom, amount) => void counted.push(-amount),
    },
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
  counted = [];
  start();
});

function send(sender: Uint8Array, type: "MsgUnderwrite" | "MsgGiveNotice", value: object): unknown {
  const route = insurance.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${type}`));
  const codec = type === "MsgUnderwrite" ? MsgUnderwrite : MsgGiveNotice;
  const message = codec.fromPartial({ sender: addresses.format(sender), denom: DENOM, ...value });
  route?.validate(message);
  return route?.handle(ctx.signedBy(sender), message);
}

/** A message of the authority. */
function authority(type: "MsgUpdateParams", value: object): unknown {
  const route = insurance.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${type}`));
  const gov = moduleAddress("gov");
  const message = MsgUpdateParams.fromPartial({ authority: addresses.format(gov), ...value });
  route?.validate(message);
  return route?.handle(ctx.signedBy(gov), message);
}

function setParams(over: object): void {
  const present = insurance.state.params.require(ctx);
  authority("MsgUpdateParams", { params: { ...present, ...over } });
}

const underwrite = (who: Uint8Array, amount: bigint): bigint => {
  send(who, "MsgUnderwrite", { amount: amount.toString() });
  return insurance.state.underwriters.get(ctx, [who, DENOM])?.shares ?? 0n;
};
const giveNotice = (who: Uint8Array, shares: bigint) =>
  send(who, "MsgGiveNotice", { shares: shares.toString() });
const balance = () => insurance.keeper.balance(ctx, DENOM);
const pay = (amount: bigint): bigint =>
  insurance.keeper
    .allocate(ctx, DENOM, [{ riskClass: "", amount }])
    .reduce((sum, payment) => sum + payment.amount, 0n);
const days = (count: number) => ctx.nextBlock(count * 86_400);
const endBlock = () => insurance.module.endBlock?.(ctx);
const faults = () => {
  const { running, full } = insurance.module.invariants;
  return [...Object.values(running), ...Object.values(full)].map((holds) => holds(ctx));
};
const worth = (who: Uint8Array): bigint => {
  const fund = insurance.state.funds.get(ctx, DENOM);
  const shares = insurance.state.underwriters.get(ctx, [who, DENOM])?.shares ?? 0n;
  return fund === undefined || fund.shares === 0n ? 0n : (fund.balance * shares) / fund.shares;
};

describe("underwriting", () => {
  test("earns and bears in proportion, the protocol's part first", () => {
    underwrite(ann, 3_000_000n);
    insurance.keeper.credit(ctx, DENOM, 400_000n, "penalty");
    expect(worth(ann)).toBe(3_300_000n);
    // A quarter of the loss is the protocol's alone; the rest is shared as what is left, 3 300 000 to 900 000.
    expect(pay(800_000n)).toBe(800_000n);
    expect(worth(ann)).toBe(2_828_571n);
    expect(faults().every((fault) => fault === null)).toBe(true);
  });

  test("leaves by itself when notice ends, at what the shares are worth then", () => {
    const shares = underwrite(ann, 1_000_000n);
    underwrite(bob, 1_000_000n);
    moved = [];
    giveNotice(ann, shares);
    days(6);
    endBlock();
    expect(moved).toEqual([]);
    pay(300_000n);
    const before = worth(ann);
    expect(before).toBeLessThan(1_000_000n);
    days(1);
    endBlock();
    expect(moved).toEqual([[ann, before]]);
    expect(counted).toEqual([1_000_000n, 1_000_000n, -before]);
    expect(insurance.state.underwriters.get(ctx, [ann, DENOM])).toBeUndefined();
    expect(insurance.keeper.funded(ctx, DENOM)).toBe(3_000_000n - before);
    expect(faults().every((fault) => fault === null)).toBe(true);
  });

  test("does not leave, nor enter, while somebody's shortfall is open", () => {
    const shares = underwrite(ann, 1_000_000n);
    giveNotice(ann, shares);
    moved = [];
    shortfall = 1n;
    days(8);
    endBlock();
    expect(moved).toEqual([]);
    expect(() => underwrite(bob, 1_000_000n)).toThrow("miss 1");
    shortfall = 0n;
    ctx.nextBlock();
    endBlock();
    expect(moved).toEqual([[ann, 1_000_000n]]);
  });

  test("keeps one notice: a new one replaces it and waits anew, zero takes it back", () => {
    const shares = underwrite(ann, 1_000_000n);
    moved = [];
    giveNotice(ann, shares);
    days(6);
    giveNotice(ann, shares / 2n);
    days(2);
    endBlock();
    expect(moved).toEqual([]);
    giveNotice(ann, 0n);
    days(30);
    endBlock();
    expect(moved).toEqual([]);
    expect(insurance.state.leaving.size(ctx)).toBe(0);
    giveNotice(ann, shares / 2n);
    days(7);
    endBlock();
    expect(moved).toEqual([[ann, 500_000n]]);
    expect(insurance.state.underwriters.get(ctx, [ann, DENOM])).toEqual({
      shares: shares - shares / 2n,
      leaving: 0n,
      leavesAtNs: 0n,
    });
  });

  test("pays a hundred leavers a block, oldest notice first", () => {
    for (let i = 0; i < 120; i++) {
      const owner = new Uint8Array(20).fill(10);
      owner[19] = 119 - i;
      giveNotice(owner, underwrite(owner, 1_000n));
      ctx.nextBlock();
    }
    moved = [];
    days(8);
    endBlock();
    expect(moved.length).toBe(100);
    expect(moved[0]?.[0][19]).toBe(119);
    endBlock();
    expect(moved.length).toBe(120);
    expect(faults().every((fault) => fault === null)).toBe(true);
  });

  test("frees nobody early when the authority shortens the wait, or closes underwriting", () => {
    const shares = underwrite(ann, 1_000_000n);
    underwrite(bob, 1_000_000n);
    giveNotice(ann, shares);
    days(1);
    setParams({ cooldownMs: 0n });
    moved = [];
    giveNotice(bob, 1_000_000_000_000n);
    expect(insurance.state.underwriters.get(ctx, [bob, DENOM])?.leavesAtNs).toBe(
      ctx.header.timeNs + 7n * DAY_MS * 1_000_000n,
    );
    endBlock();
    days(5);
    endBlock();
    expect(moved).toEqual([]);
    days(1);
    endBlock();
    expect(moved.map(([who]) => who)).toEqual([ann]);
    days(1);
    endBlock();
    expect(moved.map(([who]) => who)).toEqual([ann, bob]);
  });

  test("of one fund is not held up by those who wait in another", () => {
    insurance.keeper.setFund(ctx, DENOM, "minor", 0);
    for (let i = 0; i < 120; i++) {
      const owner = new Uint8Array(20).fill(10);
      owner[19] = i;
      giveNotice(owner, underwrite(owner, 1_000n));
    }
    const shares = insurance.keeper.underwrite(ctx, ann, `${DENOM}#minor`, 5_000n);
    insurance.keeper.giveNotice(ctx, ann, `${DENOM}#minor`, shares);
    moved = [];
    days(8);
    endBlock();
    expect(moved.filter(([who]) => who[0] === 1)).toEqual([[ann, 5_000n]]);
    expect(moved.length).toBe(101);
  });

  test("is not held for ever by a shortfall that stays open: after another wait on what would be left", () => {
    const shares = underwrite(ann, 1_000_000n);
    underwrite(bob, 2_000_000n);
    giveNotice(ann, shares);
    moved = [];
    shortfall = 1_000_000n;
    days(8);
    endBlock();
    days(5);
    endBlock();
    expect(moved).toEqual([]);
    days(1);
    endBlock();
    // A quarter of four million less the million that is missing.
    expect(moved).toEqual([[ann, 750_000n]]);
    expect(balance()).toBe(3_250_000n);
    expect(faults().every((fault) => fault === null)).toBe(true);
  });

  test("cannot be made too dear for small underwriters by a gift to an all but empty fund", () => {
    start({}, "0");
    const before = underwrite(ann, 1n);
    insurance.keeper.fund(ctx, bob, DENOM, 1_000_000_000n);
    // The gift is the protocol's, not the first one's.
    expect(worth(ann)).toBe(1n);
    expect(underwrite(bob, 5n)).toBe(5n * before);
    expect(worth(bob)).toBe(5n);
    expect(faults().every((fault) => fault === null)).toBe(true);
  });

  test("has a least contribution that keeps a fund's shares divisible, unless the authority says otherwise", () => {
    start({ fundMin: defaultParams().fundMin }, "0");
    expect(() => underwrite(ann, 99_999_999n)).toThrow("at least 100000000");
    underwrite(ann, 100_000_000n);
    // Income of a thousand million units later, the least contribution still buys shares.
    insurance.keeper.credit(ctx, DENOM, 1_000_000_000_000_000n, "fees");
    expect(underwrite(bob, 100_000_000n) > 0n).toBe(true);
  });

  test.each([
    ["more than one has", () => giveNotice(ann, 1n), "has no shares"],
    ["a negative number", () => giveNotice(ann, -1n), "expected a number of shares"],
    ["nothing", () => underwrite(ann, 0n), "positive integer"],
    [
      "another asset",
      () => send(ann, "MsgUnderwrite", { denom: "ukeel", amount: "5" }),
      "there is no fund",
    ],
  ])("of %s is refused", (_, act, message) => {
    expect(act).toThrow(message);
    expect(moved).toEqual([]);
    expect(balance()).toBe(1_000_000n);
  });

  test("of less than the least contribution is refused", () => {
    start({ fundMin: "5000" });
    expect(() => underwrite(ann, 4_999n)).toThrow("at least 5000");
    expect(underwrite(ann, 5_000n)).toBe(5_000_000_000n);
  });

  test("is closed without a cool-down, and in a fund that losses have emptied", () => {
    start({ cooldownMs: 0n });
    expect(() => underwrite(ann, 5_000n)).toThrow("takes no underwriters");
    start();
    underwrite(ann, 5_000n);
    pay(2_000_000n);
    expect(balance()).toBe(0n);
    expect(() => underwrite(bob, 5_000n)).toThrow("nothing says what its shares are worth");
  });

  test("pays nothing for worthless shares, and lets them go", () => {
    const shares = underwrite(ann, 5_000n);
    giveNotice(ann, shares);
    pay(2_000_000n);
    moved = [];
    days(8);
    endBlock();
    expect(moved).toEqual([]);
    expect(insurance.state.underwriters.size(ctx)).toBe(0);
    expect(faults().every((fault) => fault === null)).toBe(true);
  });
});

describe("the draw cap", () => {
  test("leaves what is beyond it to others, and gives it back within an hour", () => {
    start({ drawCapPpm: 250_000 });
    expect(insurance.keeper.available(ctx, DENOM)).toBe(250_000n);
    expect(pay(400_000n)).toBe(250_000n);
    expect(pay(1n)).toBe(0n);
    ctx.nextBlock(1_800);
    expect(insurance.keeper.available(ctx, DENOM)).toBeGreaterThan(60_000n);
    ctx.nextBlock(1_800);
    expect(insurance.keeper.available(ctx, DENOM)).toBe(187_500n);
    expect(balance()).toBe(750_000n);
  });
});

describe("genesis", () => {
  test("carries shares and notices", () => {
    giveNotice(ann, underwrite(ann, 1_000_000n) / 4n);
    underwrite(bob, 70_000n);
    const bytes = genesisOf(insurance).export(ctx);
    const at = ctx.header;
    const other = build();
    genesisOf(other).init(ctx, bytes);
    expect(genesisOf(other).export(ctx)).toEqual(bytes);
    insurance = other;
    ctx.header = at;
    moved = [];
    days(8);
    endBlock();
    expect(moved).toEqual([[ann, 250_000n]]);
  });

  test("is refused with two funds of one asset", () => {
    const state = GenesisState.decode(genesisOf(insurance).export(ctx));
    const broken = GenesisState.encode({ ...state, funds: [...state.funds, ...state.funds] });
    expect(() => genesisOf(build()).init(ctx, broken.finish())).toThrow("is there twice");
  });

  test("is refused with shares that nobody holds", () => {
    underwrite(ann, 1_000_000n);
    const state = GenesisState.decode(genesisOf(insurance).export(ctx));
    const broken = GenesisState.encode({ ...state, underwriters: [] }).finish();
    expect(() => genesisOf(build()).init(ctx, broken)).toThrow("of underwriters");
  });
});

describe("the invariant on shares", () => {
  test("notices shares from nowhere", () => {
    underwrite(ann, 1_000_000n);
    const holds = insurance.module.invariants.full["shares-held"];
    expect(holds?.(ctx)).toBeNull();
    insurance.state.underwriters.set(ctx, [bob, DENOM], {
      shares: 1n,
      leaving: 0n,
      leavesAtNs: 0n,
    });
    expect(holds?.(ctx)).toContain("of underwriters");
  });
});
