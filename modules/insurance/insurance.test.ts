import { ErrorCode } from "@keel/proto/gen/keel/insurance/v1/errors";
import { GenesisState } from "@keel/proto/gen/keel/insurance/v1/genesis";
import { QueryFundRequest, QueryFundResponse } from "@keel/proto/gen/keel/insurance/v1/query";
import { MsgFund, MsgUpdateParams } from "@keel/proto/gen/keel/insurance/v1/tx";
import { beforeEach, describe, expect, it } from "vitest";
import { moduleAddress } from "../kit/addresses.ts";
import type { TestContext } from "../kit/testing/context.ts";
import { INSURANCE_CODES } from "./errors.ts";
import type { Insurance } from "./module.ts";
import { defaultParams } from "./params.ts";
import { addresses, createInsured, genesisOf, vault } from "./testing.ts";

const giver = addresses.format(new Uint8Array(20).fill(1));
const gov = addresses.format(moduleAddress("gov"));

let shortfall: bigint;
let moved: { to: Uint8Array; amount: bigint }[];
let ctx: TestContext;
let insurance: Insurance;

function build(): Insurance {
  const made = createInsured({
    onTransfer: (to, amount) => void moved.push({ to, amount }),
    shortfall: () => shortfall,
  });
  ctx = made.ctx;
  return made.insurance;
}

beforeEach(() => {
  moved = [];
  shortfall = 0n;
  insurance = build();
  const genesis = GenesisState.fromPartial({
    params: { ...defaultParams(), fundMin: "1" },
    funds: [{ denom: "uusdc", balance: "100", funded: "100", received: "0", paid: "0" }],
  });
  genesisOf(insurance).init(ctx, GenesisState.encode(genesis).finish());
});

/** Asks for so much of a loss of no class; what was paid. */
const cover = (amount: bigint): bigint =>
  insurance.keeper
    .allocate(ctx, "uusdc", [{ riskClass: "", amount }])
    .reduce((sum, payment) => sum + payment.amount, 0n);

const fund = (over: Partial<MsgFund>) => {
  const route = insurance.module.messages[0];
  const message = MsgFund.fromPartial({ sender: giver, denom: "uusdc", amount: "5", ...over });
  route?.validate(message);
  route?.handle(ctx.signedBy(addresses.parse(giver)), message);
};

describe("the fund", () => {
  it("starts with what genesis says", () => {
    expect(insurance.keeper.balance(ctx, "uusdc")).toBe(100n);
    expect(insurance.keeper.balance(ctx, "other")).toBe(0n);
  });

  it("pays as far as it reaches and is credited", () => {
    expect(cover(30n)).toBe(30n);
    insurance.keeper.credit(ctx, "uusdc", 5n, "penalty");
    expect(cover(1_000n)).toBe(75n);
    expect(cover(1n)).toBe(0n);
    expect(insurance.state.funds.get(ctx, "uusdc")).toMatchObject({
      denom: "uusdc",
      balance: 0n,
      funded: 100n,
      received: 5n,
      paid: 105n,
    });
    expect(ctx.events.map((event) => event.type)).toEqual([
      "insurance_paid",
      "insurance_received",
      "insurance_paid",
    ]);
  });

  it("takes gifts of anyone, in coins that go to the vault", () => {
    fund({});
    expect(moved).toEqual([{ to: vault, amount: 5n }]);
    expect(insurance.keeper.balance(ctx, "uusdc")).toBe(105n);
    expect(insurance.keeper.funded(ctx, "uusdc")).toBe(105n);
  });

  it.each([
    [{ amount: "0" }, /positive integer/],
    [{ amount: "-5" }, /positive integer/],
    [{ amount: "1.0" }, /positive integer/],
    [{ denom: "ukeel" }, /no fund in "ukeel"/],
    [{ denom: "é" }, /expected a denom/],
    [{ sender: "cosmos1" }, /address/],
  ])("refuses %o", (over, message) => {
    expect(() => fund(over)).toThrow(message);
    expect(moved).toEqual([]);
  });

  it("answers for known denoms only", () => {
    const route = insurance.module.queries[0];
    const ask = (denom: string) =>
      QueryFundResponse.decode(
        route?.handle(ctx, QueryFundRequest.encode({ denom, riskClass: "" }).finish()) ??
          new Uint8Array(0),
      );
    expect(ask("uusdc").fund?.balance).toBe("100");
    expect(() => ask("ukeel")).toThrow(/no fund/);
  });
});

describe("parameters", () => {
  it("are the authority's", () => {
    const route = insurance.module.messages.find(({ typeUrl }) => typeUrl.endsWith("UpdateParams"));
    const message = MsgUpdateParams.fromPartial({ authority: gov, params: { fundMin: "10" } });
    expect(() => route?.handle(ctx.signedBy(), { ...message, authority: giver })).toThrow(
      /expected authority/,
    );
    route?.handle(ctx.signedBy(), message);
    expect(() => fund({ amount: "9" })).toThrow(/at least 10/);
    expect(insurance.keeper.params(ctx).authority).toBe(gov);
  });
});

describe("the invariant", () => {
  it("notices a balance that its history does not explain", () => {
    const holds = insurance.module.invariants.running["fund-balances"];
    expect(holds?.(ctx)).toBeNull();
    const known = insurance.state.funds.get(ctx, "uusdc");
    if (known === undefined) throw new Error("no fund");
    insurance.state.funds.set(ctx, "uusdc", { ...known, balance: 101n });
    expect(holds?.(ctx)).toBe("fund uusdc: balance is 101, inventory 0, its history sums to 100");
    insurance.state.funds.set(ctx, "uusdc", { ...known, balance: -1n, paid: 101n });
    expect(holds?.(ctx)).toBe("fund uusdc: an amount is negative");
  });
});

describe("genesis", () => {
  it("exports what it imports and refuses what does not add up", () => {
    const bytes = genesisOf(insurance).export(ctx);
    const other = build();
    genesisOf(other).init(ctx, bytes);
    expect(genesisOf(other).export(ctx)).toEqual(bytes);
    const state = GenesisState.decode(bytes);
    const funds = state.funds.map((one) => ({ ...one, balance: "7" }));
    const broken = GenesisState.encode({ ...state, funds }).finish();
    expect(() => genesisOf(build()).init(ctx, broken)).toThrow(/insurance genesis/);
  });
});

describe("error codes", () => {
  it("are those published in the proto", () => {
    const published = Object.entries(ErrorCode)
      .filter(([name, value]) => typeof value === "number" && value >= 2 && name !== "UNRECOGNIZED")
      .map(([name, value]) => [name.slice(11).replaceAll("_", "").toLowerCase(), value]);
    const ours = Object.entries(INSURANCE_CODES).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]);
    expect(ours).toEqual(published);
  });
});
