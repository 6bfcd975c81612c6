import { MsgTransfer, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { MARGIN_CODES } from "../errors.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { BTC, DENOM } from "../testing/world.ts";
import { type CustodyWorld, custodyWorld, HOUR_MS, MARK, UNIT, withdrawal } from "./testing.ts";

let world: CustodyWorld;
let alice: AccountId;
let thief: AccountId;
const OWNER = 1;
const [K1, K2, K3, THIEF] = [11, 12, 13, 66];

beforeEach(() => {
  world = custodyWorld();
  alice = world.fund(OWNER, 0, 1_000n * UNIT);
  thief = world.fund(THIEF, 0, 10_000n * UNIT);
  world.setPolicy();
});

const coins = (number: number): bigint => world.bank.balance(world.ctx, world.owner(number), DENOM);
const collateral = (id = alice): bigint =>
  world.margin.keeper.account(world.ctx, id)?.collateral ?? 0n;

describe("the owner's key alone takes nothing out", () => {
  it("by a withdrawal or a transfer", () => {
    const of = { sender: world.text(OWNER), denom: DENOM, amount: "1" };
    const withdraw = (): unknown => world.send("MsgWithdraw", MsgWithdraw.fromPartial(of));
    expect(world.outcome(withdraw)).toBe("policyRequired");
    const transfer = (): unknown =>
      world.send("MsgTransfer", MsgTransfer.fromPartial({ ...of, toSubaccount: 1 }));
    expect(world.outcome(transfer)).toBe("policyRequired");
    expect(collateral()).toBe(1_000n * UNIT);
  });

  it("by moving the whole sub-account, or collateral along with a position", () => {
    const { keeper } = world.margin;
    const to = world.sub(THIEF, 5);
    expect(world.outcome(() => keeper.portAccount(world.ctx, alice, to))).toBe("policyRequired");
    world.clear(world.trade(alice, thief, 1n));
    const trade = world.trade(thief, alice, 1n, { kind: "transfer", taker: "sell" });
    const moved = keeper.clearAll(world.ctx, [trade], [{ from: alice, to: thief, quanta: 1n }]);
    expect(moved).toMatchObject({ ok: false, code: MARGIN_CODES.policyRequired, refused: alice });
    // At mark, with nothing along, it gives nothing away.
    expect(keeper.clearAll(world.ctx, [trade], [])).toEqual({ ok: true });
    expect(world.equity(alice)).toBe(1_000n * UNIT);
  });

  it("by a new policy over the old one", () => {
    expect(world.outcome(() => world.setPolicy({ threshold: 1 }))).toBe("policyRequired");
  });

  it("by trading at absurd prices with a friend: book, auction or agreement, whichever side", () => {
    // 1 unit a day. 4 lots bought 300 ticks above the mark give 1.2 units away.
    const dear = { priceTicks: MARK + 300n };
    expect(world.clear(world.trade(alice, thief, 4n, dear))).toBe("tradingLoss");
    expect(world.clear(world.trade(alice, thief, 3n, dear))).toBe("accepted");
    expect(world.clear(world.trade(thief, alice, 1n, { priceTicks: MARK - 300n }))).toBe(
      "tradingLoss",
    );
    const external = world.trade(alice, thief, 1n, { ...dear, kind: "external" });
    expect(world.margin.keeper.clearAll(world.ctx, [external], [])).toMatchObject({
      ok: false,
      code: MARGIN_CODES.tradingLoss,
      refused: alice,
    });
    const release = { lots: 0n, feeReserveQuanta: 0n };
    const auctioned = world.margin.keeper.clearAuction(world.ctx, {
      market: BTC,
      ...dear,
      fills: [
        { account: alice, side: "buy", lots: 1n, feeQuanta: 0n, release },
        { account: thief, side: "sell", lots: 1n, feeQuanta: 0n, release },
      ],
    } as never);
    expect(auctioned).toMatchObject({
      refused: [{ account: alice, code: MARGIN_CODES.tradingLoss }],
    });
    // Resting as the maker is no way round it.
    const offer = { account: alice, market: BTC, side: "sell", lots: 2n, feeReserve: 0n } as const;
    world.markets.rest(world.ctx, { ...offer, ticks: MARK - 300n });
    const taken = world.markets.take(world.ctx, {
      account: thief,
      market: BTC,
      side: "buy",
      ticks: MARK,
      lots: 2n,
      feePpm: 0n,
    });
    expect(taken.filled).toBe(0n);
    expect(world.equity(alice)).toBe(1_000n * UNIT - 900_000n);
    expect(world.violated()).toBeNull();
  });

  it("by many small losses: they add up over a day, and gains do not make room", () => {
    const dear = { priceTicks: MARK + 100n };
    for (let i = 0; i < 10; i++) {
      expect(world.clear(world.trade(alice, thief, 1n, dear))).toBe("accepted");
      expect(world.clear(world.trade(thief, alice, 1n, dear))).toBe("accepted");
    }
    expect(world.clear(world.trade(alice, thief, 1n, dear))).toBe("tradingLoss");
    world.ctx.nextBlock(86_400);
    expect(world.clear(world.trade(alice, thief, 1n, dear))).toBe("accepted");
    expect(world.violated()).toBeNull();
  });

  it("by fees to a friend, which count as what they cost", () => {
    const fee = { buyer: { account: alice, feeQuanta: UNIT + 1n, orderId: null } };
    expect(world.clear(world.trade(alice, thief, 1n, fee))).toBe("tradingLoss");
  });

  it("while a loss at the market's own prices is nobody's business", () => {
    expect(world.clear(world.trade(alice, thief, 100n))).toBe("accepted");
    world.markets.setMark(world.ctx, BTC, 49_000n);
    expect(world.clear(world.trade(thief, alice, 100n, { priceTicks: 49_000n }))).toBe("accepted");
    expect(world.equity(alice)).toBe(900n * UNIT);
  });

  it("nor by having it liquidated: the bound does not keep the chain from closing it", () => {
    expect(world.clear(world.trade(alice, thief, 180n))).toBe("accepted");
    world.markets.setMark(world.ctx, BTC, 46_000n);
    const bid = { account: thief, market: BTC, side: "buy", feeReserve: 0n } as const;
    world.markets.rest(world.ctx, { ...bid, ticks: 45_900n, lots: 180n });
    world.endBlock();
    expect(world.happened("liquidation")).toHaveLength(1);
    expect(world.violated()).toBeNull();
  });
});

describe("m of n", () => {
  it("pay out what they approved, once, to whom they approved it", () => {
    const id = world.propose(K1, withdrawal(world.text(77), 300n));
    expect(world.outcome(() => world.execute(K1, id))).toBe("notApproved");
    world.approve(K2, id);
    world.execute(K3, id);
    expect(coins(77)).toBe(300n * UNIT);
    expect(collateral()).toBe(700n * UNIT);
    expect(world.happened("withdrawal_executed")[0]).toMatchObject({
      action: "withdraw",
      to: world.text(77),
      amount: `${300n * UNIT}`,
    });
    for (const again of [() => world.execute(K1, id), () => world.approve(K3, id)]) {
      expect(world.outcome(again)).toBe("unknownProposal");
    }
    expect(world.violated()).toBeNull();
  });

  it("move collateral to another sub-account, and the whole of it to another owner", () => {
    const transfer = { toSubaccount: 4, denom: DENOM, amount: "5" };
    const first = world.propose(K1, { transfer });
    world.approve(K2, first);
    world.execute(OWNER, first);
    expect(collateral(world.sub(OWNER, 4))).toBe(5n);
    const port = { toOwner: world.text(77), toSubaccount: 3 };
    const second = world.propose(OWNER, { port });
    world.approve(K1, second);
    const { keeper } = world.margin;
    const move = (to = world.sub(77, 3)): string =>
      world.outcome(() => keeper.portAccount(world.ctx, alice, to));
    expect(move()).toBe("policyRequired");
    world.approve(K3, second);
    expect(world.outcome(() => world.execute(K1, second))).toBe("invalidRequest");
    expect(move(world.sub(THIEF, 3))).toBe("policyRequired");
    expect(move()).toBe("accepted");
    expect(collateral(world.sub(77, 3))).toBe(1_000n * UNIT - 5n);
    expect(world.violated()).toBeNull();
    // The approval is spent.
    world.fund(OWNER, 0, UNIT);
    expect(move(world.sub(77, 4))).toBe("policyRequired");
  });

  it("are counted by key: no key counts twice, and nobody without one counts", () => {
    const id = world.propose(OWNER, withdrawal(world.text(OWNER), 1n));
    world.approve(K1, id);
    expect(world.outcome(() => world.approve(K1, id))).toBe("invalidRequest");
    for (const stranger of [OWNER, THIEF]) {
      expect(world.outcome(() => world.approve(stranger, id))).toBe("unauthorized");
    }
    expect(world.outcome(() => world.execute(OWNER, id))).toBe("notApproved");
    expect(world.outcome(() => world.execute(THIEF, id))).toBe("unauthorized");
    expect(world.outcome(() => world.propose(THIEF, withdrawal(world.text(THIEF), 1n)))).toBe(
      "unauthorized",
    );
    // An approval for another sub-account's proposal of the same number does not exist.
    world.setPolicy({}, OWNER, 1);
    expect(world.outcome(() => world.approve(K2, id, false, 1))).toBe("unknownProposal");
  });

  it("may change their mind, and drop what cannot be approved any more", () => {
    const id = world.propose(K1, withdrawal(world.text(K1), 1n));
    world.approve(K2, id);
    world.approve(K2, id, true);
    expect(world.outcome(() => world.execute(K1, id))).toBe("notApproved");
    world.approve(K3, id, true);
    expect(world.happened("withdrawal_dropped")[0]).toMatchObject({ reason: "rejected" });
    expect(world.outcome(() => world.approve(K2, id))).toBe("unknownProposal");
    const second = world.propose(K1, withdrawal(world.text(K1), 1n));
    world.approve(K1, second, true);
    expect(world.happened("withdrawal_dropped")[1]).toMatchObject({ reason: "taken_back" });
    expect(world.violated()).toBeNull();
  });

  it("expire, and are forgotten", () => {
    const id = world.propose(K1, withdrawal(world.text(K1), 1n), 60_000);
    world.approve(K2, id);
    world.ctx.nextBlock(60);
    for (const late of [() => world.execute(K1, id), () => world.approve(K3, id)]) {
      expect(world.outcome(late)).toBe("unknownProposal");
    }
    world.endBlock();
    expect(world.margin.state.custody.proposals.size(world.ctx)).toBe(0);
    expect(world.happened("withdrawal_dropped")[0]).toMatchObject({ reason: "expired" });
    expect(world.violated()).toBeNull();
  });

  it("never meet a number again, not even under a later policy", () => {
    const first = world.propose(K1, withdrawal(world.text(K1), 1n));
    world.approve(K1, first, true);
    expect(world.propose(K1, withdrawal(world.text(K1), 900n))).toBe(first + 1n);
  });

  it("lie in a bounded number for each proposer, so that no key can fill the list", () => {
    for (let i = 0; i < 4; i++) world.propose(K1, withdrawal(world.text(K1), 1n));
    expect(world.outcome(() => world.propose(K1, withdrawal(world.text(K1), 1n)))).toBe(
      "invalidRequest",
    );
    expect(world.propose(K2, withdrawal(world.text(K1), 1n))).toBe(5n);
    const far = (): unknown => world.propose(K3, withdrawal(world.text(K1), 1n), 91 * 24 * HOUR_MS);
    expect(world.outcome(far)).toBe("invalidRequest");
  });

  it("take out what margin leaves free, and nothing past the gate", () => {
    world.clear(world.trade(alice, thief, 100n));
    const id = world.propose(K1, withdrawal(world.text(K1), 600n));
    world.approve(K2, id);
    expect(world.outcome(() => world.execute(K1, id))).toBe("insufficientCollateral");
    world.clear(world.trade(thief, alice, 100n));
    world.margin.keeper.gateWithdrawals(world.ctx, world.ctx.header.timeNs + 1n, "test");
    expect(world.outcome(() => world.execute(K1, id))).toBe("withdrawalsGated");
    world.ctx.nextBlock();
    world.execute(K1, id);
    expect(coins(K1)).toBe(600n * UNIT);
  });
});

describe("delay, recipients, change", () => {
  const key = (number: number): string => world.text(number);

  it("waits after the last approval needed, from the beginning when one was taken back", () => {
    changed({ delayMs: 600_000n });
    const id = world.propose(K1, withdrawal(key(K1), 1n));
    world.approve(K2, id);
    world.ctx.nextBlock(599);
    expect(world.outcome(() => world.execute(K1, id))).toBe("notApproved");
    world.approve(K2, id, true);
    world.approve(K2, id);
    world.ctx.nextBlock(1);
    expect(world.outcome(() => world.execute(K1, id))).toBe("notApproved");
    world.ctx.nextBlock(599);
    world.execute(K1, id);
    expect(coins(K1)).toBe(UNIT);
  });

  function changed(over: Parameters<CustodyWorld["setPolicy"]>[0]): void {
    const { custody } = world.margin.state;
    const before = custody.policies.get(world.ctx, alice);
    if (before === undefined) throw new Error("no policy");
    const change = world.propose(K1, { policy: { policy: { ...before, ...over } } });
    world.approve(K2, change);
    world.execute(K3, change);
  }

  it("pays the listed only, whoever approves, by transfer and port too", () => {
    changed({ recipients: [key(77)] });
    const to = (action: Parameters<CustodyWorld["propose"]>[1]): string =>
      world.outcome(() => world.propose(K2, action));
    expect(to(withdrawal(key(77), 1n))).toBe("accepted");
    expect(to(withdrawal(key(K2), 1n))).toBe("unauthorized");
    expect(to({ transfer: { toSubaccount: 1, denom: DENOM, amount: "1" } })).toBe("unauthorized");
    expect(to({ port: { toOwner: key(K2), toSubaccount: 0 } })).toBe("unauthorized");
    expect(to({ port: { toOwner: key(77), toSubaccount: 0 } })).toBe("accepted");
  });

  it("pays no account of the chain, and in no other coin", () => {
    const vault = createAddresses("keel").format(COLLATERAL_VAULT);
    const to = (action: Parameters<CustodyWorld["propose"]>[1]): string =>
      world.outcome(() => world.propose(K1, action));
    expect(to(withdrawal(vault, 1n))).toBe("unauthorized");
    expect(to({ withdraw: { recipient: key(K1), denom: "ukeel", amount: "1" } })).toBe(
      "wrongDenom",
    );
    expect(to({ transfer: { toSubaccount: 0, denom: DENOM, amount: "1" } })).toBe("sameAccount");
    expect(to({})).toBe("invalidRequest");
    expect(to({ ...withdrawal(key(K1), 1n), port: { toOwner: key(K1), toSubaccount: 1 } })).toBe(
      "invalidRequest",
    );
    expect(to({ withdraw: { recipient: key(K1), denom: DENOM, amount: "0" } })).toBe(
      "invalidAmount",
    );
  });

  it("voids everything that lies when the policy changes, approved or not", () => {
    const approved = world.propose(K1, withdrawal(key(K1), 900n));
    world.approve(K2, approved);
    const rival = world.propose(K2, { policy: { policy: undefined } });
    world.approve(K1, rival);
    const before = world.margin.state.custody.policies.get(world.ctx, alice);
    const stricter = world.propose(K3, {
      policy: { policy: { ...(before as NonNullable<typeof before>), threshold: 3 } },
    });
    world.approve(K1, stricter);
    world.execute(K3, stricter);
    for (const id of [approved, rival]) {
      expect(world.outcome(() => world.execute(K1, id))).toBe("unknownProposal");
    }
    expect(world.happened("withdrawal_policy_set").at(-1)).toMatchObject({
      threshold: "3",
      reason: "approved",
    });
    expect(world.violated()).toBeNull();
  });

  it("goes back to the owner's key when the policy is taken away", () => {
    const id = world.propose(K1, { policy: { policy: undefined } });
    world.approve(K2, id);
    world.execute(K1, id);
    const of = { sender: world.text(OWNER), denom: DENOM, amount: "1" };
    world.send("MsgWithdraw", MsgWithdraw.fromPartial(of));
    expect(coins(OWNER)).toBe(1n);
    expect(world.violated()).toBeNull();
  });

  it("lets the owner alone change it after its time, unless the keys reject that", () => {
    changed({ recoveryDelayMs: 86_400_000n });
    const recover = (): bigint =>
      world.propose(OWNER, { policy: { policy: undefined } }, 48 * HOUR_MS);
    const first = recover();
    world.approve(K1, first, true);
    world.approve(K2, first, true);
    expect(world.outcome(() => world.execute(OWNER, first))).toBe("unknownProposal");
    const second = recover();
    const withdraws = world.propose(OWNER, withdrawal(world.text(OWNER), 1n), 48 * HOUR_MS);
    world.ctx.nextBlock(86_399);
    expect(world.outcome(() => world.execute(OWNER, second))).toBe("notApproved");
    world.ctx.nextBlock(1);
    // Time alone approves no withdrawal.
    expect(world.outcome(() => world.execute(OWNER, withdraws))).toBe("notApproved");
    world.execute(OWNER, second);
    expect(world.happened("withdrawal_policy_set").at(-1)).toMatchObject({ reason: "recovery" });
    expect(world.violated()).toBeNull();
  });

  it.each([
    ["no threshold", { threshold: 0 }],
    ["more than its keys", { threshold: 4 }],
    ["no keys", { keys: [] }],
    ["keys that are no addresses", { keys: ["b", "a"] }],
    ["a delay of 31 days", { delayMs: 31n * 86_400_000n }],
    ["a recovery of 61 days", { recoveryDelayMs: 61n * 86_400_000n }],
    ["a recovery before the delay", { delayMs: 10n, recoveryDelayMs: 9n }],
    ["no bound of loss", { tradingLossPerDay: "" }],
    ["less than nothing to give", { topUpPerDay: "-1" }],
  ] as const)("is refused with %s", (_name, over) => {
    const policy = over as Parameters<CustodyWorld["setPolicy"]>[0];
    expect(world.outcome(() => world.setPolicy(policy, 2))).toMatch(/invalidRequest|sdk/);
  });

  it("lists its keys in order, each once", () => {
    const [low, high] = [key(11), key(12)].sort((a, b) => (a < b ? -1 : 1)) as [string, string];
    for (const keys of [
      [high, low],
      [low, low, high],
    ]) {
      expect(world.outcome(() => world.setPolicy({ keys }, 2))).toBe("invalidRequest");
    }
  });

  it("survives the sub-account: what is emptied and filled again stands under it", () => {
    const id = world.propose(K1, withdrawal(key(K1), 1_000n));
    world.approve(K2, id);
    world.execute(K1, id);
    expect(world.margin.keeper.exists(world.ctx, alice)).toBe(false);
    world.fund(OWNER, 0, 10n * UNIT);
    const of = { sender: world.text(OWNER), denom: DENOM, amount: "1" };
    expect(world.outcome(() => world.send("MsgWithdraw", MsgWithdraw.fromPartial(of)))).toBe(
      "policyRequired",
    );
  });
});
