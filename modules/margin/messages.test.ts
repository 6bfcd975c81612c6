import { ErrorCode } from "@keel/proto/gen/keel/margin/v1/errors";
import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import {
  MsgCollectFees,
  MsgDeposit,
  MsgTransfer,
  MsgUpdateParams,
  MsgWithdraw,
} from "@keel/proto/gen/keel/margin/v1/tx";
import { beforeEach, describe, expect, it } from "vitest";
import { accountId } from "../kit/account-id.ts";
import { createAddresses, moduleAddress } from "../kit/addresses.ts";
import { ModuleError } from "../kit/errors.ts";
import { MARGIN_CODES, type MarginCode } from "./errors.ts";
import { BTC, btcTerms, createWorld, DENOM, type World } from "./testing/world.ts";

const addresses = createAddresses("keel");
let world: World;
let alice: string;

function run(typeUrl: string, message: unknown): void {
  const route = world.margin.module.messages.find((one) => one.typeUrl.endsWith(typeUrl));
  if (route === undefined) throw new Error(`no route ${typeUrl}`);
  const decoded = route.decode(route.encode(message));
  route.validate(decoded);
  route.handle(world.ctx.signedBy(...route.signers(decoded).map(addresses.parse)), decoded);
}

function code(body: () => void): MarginCode | string {
  try {
    body();
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    const known = Object.entries(MARGIN_CODES).find(([, value]) => value === error.code);
    return error.codespace === "margin" ? (known?.[0] ?? "?") : `${error.codespace} ${error.code}`;
  }
  return "accepted";
}

const deposit = (amount: string, over: Partial<MsgDeposit> = {}) =>
  run("MsgDeposit", MsgDeposit.fromPartial({ sender: alice, denom: DENOM, amount, ...over }));
const withdraw = (amount: string, over: Partial<MsgWithdraw> = {}) =>
  run("MsgWithdraw", MsgWithdraw.fromPartial({ sender: alice, denom: DENOM, amount, ...over }));

beforeEach(() => {
  world = createWorld();
  world.markets.list(world.ctx, btcTerms());
  world.markets.setMark(world.ctx, BTC, 50_000n);
  alice = addresses.format(world.owner(1));
  world.bank.mint(world.ctx, world.owner(1), 1_000n);
});

describe("deposits and withdrawals", () => {
  it("move coins into the vault and back, to the unit", () => {
    deposit("1000");
    expect(world.bank.balance(world.ctx, world.owner(1), DENOM)).toBe(0n);
    expect(world.bank.balance(world.ctx, moduleAddress("margin"), DENOM)).toBe(1_000n);
    expect(world.violated()).toBeNull();
    withdraw("400");
    withdraw("600");
    expect(world.bank.balance(world.ctx, world.owner(1), DENOM)).toBe(1_000n);
    expect(world.margin.keeper.exists(world.ctx, accountId(world.owner(1), 0))).toBe(false);
    expect(world.margin.keeper.totals(world.ctx).accounts).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  it("may pay into another owner's sub-account", () => {
    const owner = addresses.format(world.owner(2));
    deposit("5", { owner, subaccount: 7 });
    expect(world.margin.keeper.exists(world.ctx, accountId(world.owner(2), 7))).toBe(true);
  });

  it.each([
    ["0", "invalidAmount"],
    ["-1", "invalidAmount"],
    ["01", "invalidAmount"],
    ["1.5", "invalidAmount"],
    [(2n ** 127n).toString(), "invalidAmount"],
    ["1001", "sdk 5"],
  ])("refuse an amount of %s", (amount, expected) => {
    expect(code(() => deposit(amount))).toBe(expected);
  });

  it("refuse another denom and an unknown account", () => {
    expect(code(() => deposit("1", { denom: "ukeel" }))).toBe("wrongDenom");
    expect(code(() => withdraw("1"))).toBe("unknownAccount");
  });

  it("refuse what the requirement holds back, and anything while a price is stale", () => {
    const trader = world.funded(5, 60_000_000n);
    const maker = world.funded(6, 600_000_000n);
    const sender = addresses.format(world.owner(5));
    world.markets.rest(world.ctx, {
      account: maker,
      market: BTC,
      side: "sell",
      ticks: 50_000n,
      lots: 10n,
      feeReserve: 0n,
    });
    const buy = { account: trader, market: BTC, side: "buy", ticks: 50_000n, lots: 10n } as const;
    expect(world.markets.take(world.ctx, { ...buy, feePpm: 0n }).filled).toBe(10n);
    expect(code(() => withdraw("10000001", { sender }))).toBe("insufficientCollateral");
    world.markets.setMark(world.ctx, BTC, 50_000n, false);
    expect(code(() => withdraw("1", { sender }))).toBe("stalePrice");
    world.markets.setMark(world.ctx, BTC, 50_000n);
    expect(code(() => withdraw("10000000", { sender }))).toBe("accepted");
    expect(world.violated()).toBeNull();
  });
});

describe("transfers", () => {
  it("move free collateral between two sub-accounts of one owner", () => {
    deposit("1000");
    const message = MsgTransfer.fromPartial({
      sender: alice,
      toSubaccount: 3,
      denom: DENOM,
      amount: "250",
    });
    run("MsgTransfer", message);
    const other = world.margin.keeper.account(world.ctx, accountId(world.owner(1), 3));
    expect(other?.collateral).toBe(250n);
    expect(code(() => run("MsgTransfer", { ...message, toSubaccount: 0 }))).toBe("sameAccount");
    expect(code(() => run("MsgTransfer", { ...message, amount: "751" }))).toBe(
      "insufficientCollateral",
    );
    expect(world.violated()).toBeNull();
  });
});

describe("the authority", () => {
  it("alone changes parameters and collects fees", () => {
    const gov = addresses.format(moduleAddress("gov"));
    const params = { ...world.margin.keeper.params(world.ctx), liquidationPenaltyPpm: 5n };
    const update = (authority: string, over = {}) =>
      run("MsgUpdateParams", MsgUpdateParams.fromPartial({ authority, params, ...over }));
    expect(code(() => update(alice))).toBe("unauthorized");
    expect(code(() => update(gov, { params: { ...params, deleverageBandPpm: 10n ** 7n } }))).toBe(
      "invalidRequest",
    );
    expect(code(() => update(gov, { params: { ...params, settlementDenom: "other" } }))).toBe(
      "wrongDenom",
    );
    expect(code(() => update(gov))).toBe("accepted");
    expect(world.margin.keeper.params(world.ctx).liquidationPenaltyPpm).toBe(5n);
    const collect = MsgCollectFees.fromPartial({ authority: gov, recipient: alice, amount: "1" });
    expect(code(() => run("MsgCollectFees", { ...collect, authority: alice }))).toBe(
      "unauthorized",
    );
    expect(code(() => run("MsgCollectFees", collect))).toBe("insufficientFees");
  });
});

describe("error codes", () => {
  it("are those published in the proto", () => {
    const published = Object.entries(ErrorCode)
      .filter(([name, value]) => typeof value === "number" && value >= 2 && name !== "UNRECOGNIZED")
      .map(([name, value]) => [
        name.replace("ERROR_CODE_", "").replaceAll("_", "").toLowerCase(),
        value,
      ]);
    const ours = Object.entries(MARGIN_CODES).map(([name, value]) => [name.toLowerCase(), value]);
    expect(ours).toEqual(published);
  });
});

describe("the Account query", () => {
  it("answers an unknown account empty and a known one with its figures", () => {
    deposit("1000");
    const route = world.margin.module.queries.find((one) => one.path.endsWith("/Account"));
    const ask = (subaccount: number) => {
      const request = QueryAccountRequest.encode({ owner: alice, subaccount }).finish();
      return QueryAccountResponse.decode(route?.handle(world.ctx, request) ?? new Uint8Array(0));
    };
    expect(ask(9).account).toMatchObject({ collateral: "0", equity: "0", positions: [] });
    expect(ask(0).account).toMatchObject({
      owner: alice,
      collateral: "1000",
      freeCollateral: "1000",
      healthPpm: "",
    });
  });
});
