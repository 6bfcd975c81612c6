/** The margin world with messages sent as a wallet sends them, for custody's tests. */
import {
  type CustodyAction,
  MsgApproveWithdrawal,
  MsgExecuteWithdrawal,
  MsgProposeWithdrawal,
  MsgProposeWithdrawalResponse,
  MsgSetTopUp,
  MsgSetWithdrawalPolicy,
  type TopUpRule,
  type WithdrawalPolicy,
} from "@keel/proto/gen/keel/margin/v1/custody";
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { ModuleError } from "../../kit/errors.ts";
import { MARGIN_CODES } from "../errors.ts";
import type { Trade } from "../ports.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { BTC, btcTerms, createWorld, DENOM, ETH, type World } from "../testing/world.ts";
import { gatedMarket, isGated } from "./gates.ts";

export const UNIT = 1_000_000n;
/** One lot at 50,000 ticks is 50 units of notional. */
export const MARK = 50_000n;
export const HOUR_MS = 3_600_000;

const addresses = createAddresses("keel");

export interface CustodyWorld extends Omit<World, "fund"> {
  /** The fund of the small world. */
  readonly insurance: World["fund"];
  /** Address of test owner `number` in text. */
  text(number: number): string;
  sub(owner: number, number: number): AccountId;
  nowMs(): number;
  /** Validates, handles as signed by its signers, reverts on refusal; returns the response. */
  send(typeUrl: string, message: object): Uint8Array;
  /** "accepted", or the name of margin's code. */
  outcome(body: () => unknown): string;
  /** Test owners 11, 12 and 13 approve for owner 1's sub-account 0 unless said otherwise. */
  setPolicy(over?: Partial<WithdrawalPolicy>, owner?: number, subaccount?: number): void;
  propose(by: number, action: Partial<CustodyAction>, ms?: number, subaccount?: number): bigint;
  approve(by: number, id: bigint, reject?: boolean, subaccount?: number): void;
  execute(by: number, id: bigint, subaccount?: number): void;
  setTopUp(owner: number, subaccount: number, rule: Partial<TopUpRule> | undefined): void;
  fund(owner: number, number: number, amount: bigint): AccountId;
  /** A trade at the mark unless said otherwise. */
  trade(buyer: AccountId, seller: AccountId, lots: bigint, over?: Partial<Trade>): Trade;
  /** As an order of the book; the name of margin's code when it is refused. */
  clear(trade: Trade): string;
  endBlock(): void;
  happened(type: string): Record<string, string>[];
}

export function codeName(code: number): string {
  return Object.entries(MARGIN_CODES).find(([, value]) => value === code)?.[0] ?? `${code}`;
}

export function custodyWorld(params: Partial<Params> = {}): CustodyWorld {
  const world = createWorld({ liquidationNotionalMin: "0", ...params });
  const { ctx, margin, markets, bank } = world;
  for (const [id, symbol] of [
    [BTC, "BTC-PERP"],
    [ETH, "ETH-PERP"],
  ] as const) {
    markets.list(ctx, btcTerms({ id, symbol }));
    markets.setMark(ctx, id, MARK);
  }
  const text = (number: number): string => addresses.format(world.owner(number));

  function send(typeUrl: string, message: object): Uint8Array {
    const route = margin.module.messages.find((one) => one.typeUrl.endsWith(`.${typeUrl}`));
    if (route === undefined) throw new Error(`no route ${typeUrl}`);
    const decoded = route.decode(route.encode(message));
    const savepoint = ctx.state.savepoint();
    try {
      route.validate(decoded);
      return route.handle(ctx.signedBy(...route.signers(decoded).map(addresses.parse)), decoded);
    } catch (error) {
      ctx.state.revert(savepoint);
      throw error;
    }
  }

  const made: CustodyWorld = {
    ...world,
    insurance: world.fund,
    text,
    sub: (owner, number) => accountId(world.owner(owner), number),
    nowMs: () => Number(ctx.header.timeNs / 1_000_000n),
    send,
    outcome(body) {
      try {
        body();
        return "accepted";
      } catch (error) {
        if (!(error instanceof ModuleError)) throw error;
        return error.codespace === "margin" ? codeName(error.code) : error.codespace;
      }
    },
    setPolicy(over = {}, owner = 1, subaccount = 0) {
      const policy = {
        threshold: 2,
        keys: [11, 12, 13].map(text).sort((a, b) => (a < b ? -1 : 1)),
        tradingLossPerDay: `${UNIT}`,
        topUpPerDay: "0",
        ...over,
      };
      const sender = text(owner);
      send(
        "MsgSetWithdrawalPolicy",
        MsgSetWithdrawalPolicy.fromPartial({ sender, subaccount, policy }),
      );
    },
    propose(by, action, ms = HOUR_MS, subaccount = 0) {
      const message = MsgProposeWithdrawal.fromPartial({
        sender: text(by),
        owner: text(1),
        subaccount,
        action,
        expiryMs: BigInt(made.nowMs() + ms),
      });
      return MsgProposeWithdrawalResponse.decode(send("MsgProposeWithdrawal", message)).id;
    },
    approve(by, id, reject = false, subaccount = 0) {
      const of = { sender: text(by), owner: text(1), subaccount, id, reject };
      send("MsgApproveWithdrawal", MsgApproveWithdrawal.fromPartial(of));
    },
    execute(by, id, subaccount = 0) {
      const of = { sender: text(by), owner: text(1), subaccount, id };
      send("MsgExecuteWithdrawal", MsgExecuteWithdrawal.fromPartial(of));
    },
    setTopUp(owner, subaccount, rule) {
      const full =
        rule === undefined
          ? undefined
          : { from: [1], targetPpm: 1_250_000n, capPerDay: `${1_000n * UNIT}`, ...rule };
      send("MsgSetTopUp", MsgSetTopUp.fromPartial({ sender: text(owner), subaccount, rule: full }));
    },
    fund(owner, number, amount) {
      bank.mint(ctx, world.owner(owner), amount);
      const id = made.sub(owner, number);
      margin.keeper.deposit(ctx, world.owner(owner), id, amount);
      return id;
    },
    trade(buyer, seller, lots, over = {}) {
      const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
      return {
        market: BTC,
        priceTicks: MARK,
        lots,
        buyer: party(buyer),
        seller: party(seller),
        taker: "buy",
        kind: "order",
        ...over,
      };
    },
    clear(trade) {
      const result = margin.keeper.clear(ctx, trade);
      return result.ok ? "accepted" : codeName(result.code);
    },
    endBlock: () => margin.keeper.endBlock(ctx),
    happened: (type) =>
      ctx.events
        .filter((event) => event.type === type)
        .map(({ attributes }) =>
          Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
        ),
  };
  return made;
}

/** What those whom nothing holds could not be paid out of the vault's coins, if all of them withdrew what they are worth. */
export function uncovered({ ctx, margin, bank }: Pick<World, "ctx" | "margin" | "bank">): bigint {
  const { custody, gate, params, accounts } = margin.state;
  if (!params.require(ctx).marketGates || (gate.get(ctx)?.untilNs ?? 0n) > ctx.header.timeNs) {
    return 0n;
  }
  let gated = false;
  custody.solvency.each(ctx, (market) => {
    gated ||= isGated(ctx, custody, market);
  });
  if (!gated) return 0n;
  let owed = 0n;
  accounts.each(ctx, (id, account) => {
    if (gatedMarket(ctx, custody, id, account) !== null) return;
    const equity = margin.keeper.health(ctx, id)?.equity ?? 0n;
    if (equity > 0n) owed += equity;
  });
  const coins = bank.balance(ctx, COLLATERAL_VAULT, DENOM);
  return owed > coins ? owed - coins : 0n;
}

export const withdrawal = (to: string, units: bigint): Partial<CustodyAction> => ({
  withdraw: { recipient: to, denom: DENOM, amount: `${units * UNIT}` },
});
