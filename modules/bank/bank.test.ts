import { describe, expect, it } from "vitest";
import { createAddresses } from "../kit/addresses.ts";
import { bytesToKey } from "../kit/collections/codecs.ts";
import { Registry } from "../kit/collections/schema.ts";
import type { ModuleError } from "../kit/errors.ts";
import { testContext } from "../kit/testing/context.ts";
import { createBank } from "./module.ts";
import { MsgMultiSend, MsgSend } from "./types.ts";

const addresses = createAddresses("keel");
const alice = new Uint8Array(20).fill(1);
const bob = new Uint8Array(20).fill(2);
const vault = new Uint8Array(20).fill(9);

function setUp() {
  const registry = new Registry();
  const received: string[] = [];
  const bank = createBank(registry.schema("bank"), {
    addresses,
    blocked: [vault],
    accounts: { ensure: (_ctx, address) => void received.push(addresses.format(address)) },
  });
  const ctx = testContext(registry);
  if (bank.module.genesis.kind !== "json") throw new Error("bank genesis is JSON");
  bank.module.genesis.init(ctx, {
    balances: [
      {
        address: addresses.format(alice),
        coins: [
          { denom: "ukeel", amount: "50" },
          { denom: "uusdc", amount: "100" },
        ],
      },
    ],
  });
  const send = (to: Uint8Array, amount: { denom: string; amount: string }[]): void => {
    const route = bank.module.messages[0];
    const message = MsgSend.fromPartial({
      fromAddress: addresses.format(alice),
      toAddress: addresses.format(to),
      amount,
    });
    route?.validate(message);
    route?.handle(ctx.signedBy(alice), message);
  };
  return { registry, bank, ctx, send, received };
}

function refusal(act: () => void): { code: number; message: string } {
  try {
    act();
  } catch (error) {
    return { code: (error as ModuleError).code, message: (error as ModuleError).message };
  }
  throw new Error("expected a refusal");
}

describe("bank", () => {
  it("moves coins and emits the SDK's events in order", () => {
    const { bank, ctx, send, received } = setUp();
    send(bob, [{ denom: "uusdc", amount: "30" }]);
    expect(received).toEqual([addresses.format(bob)]);
    expect(bank.keeper.balance(ctx, alice, "uusdc")).toBe(70n);
    expect(bank.keeper.balance(ctx, bob, "uusdc")).toBe(30n);
    expect(ctx.events.map((event) => event.type)).toEqual([
      "coin_spent",
      "coin_received",
      "transfer",
      "message",
    ]);
    expect(bank.module.invariants.full["supply-equals-balances"]?.(ctx)).toBeNull();
  });

  it("refuses what is not there with the SDK's words and changes nothing", () => {
    const { bank, ctx, send } = setUp();
    const before = ctx.state.savepoint();
    expect(refusal(() => send(bob, [{ denom: "uusdc", amount: "101" }]))).toEqual({
      code: 5,
      message: "spendable balance 100uusdc is smaller than 101uusdc: insufficient funds",
    });
    expect(
      refusal(() =>
        send(bob, [
          { denom: "ukeel", amount: "1" },
          { denom: "uusdc", amount: "101" },
        ]),
      ).code,
    ).toBe(5);
    expect(ctx.state.savepoint()).toBe(before);
    expect(bank.keeper.balance(ctx, alice, "ukeel")).toBe(50n);
  });

  it("refuses blocked recipients, unordered, zero, negative and overflowing coins", () => {
    const { send } = setUp();
    expect(refusal(() => send(vault, [{ denom: "uusdc", amount: "1" }])).code).toBe(4);
    const bad = [
      [],
      [{ denom: "uusdc", amount: "0" }],
      [{ denom: "uusdc", amount: "-1" }],
      [{ denom: "uusdc", amount: "1e3" }],
      [{ denom: "uusdc", amount: (1n << 256n).toString() }],
      [
        { denom: "uusdc", amount: "1" },
        { denom: "ukeel", amount: "1" },
      ],
      [
        { denom: "ukeel", amount: "1" },
        { denom: "ukeel", amount: "1" },
      ],
      [{ denom: "1x", amount: "1" }],
    ];
    for (const coins of bad)
      expect(refusal(() => send(bob, coins)).code, JSON.stringify(coins)).toBe(10);
  });

  it("sends to many in one message only when the sums agree", () => {
    const { bank, ctx } = setUp();
    const route = bank.module.messages[1];
    const message = (given: string) =>
      MsgMultiSend.fromPartial({
        inputs: [{ address: addresses.format(alice), coins: [{ denom: "uusdc", amount: given }] }],
        outputs: [bob, new Uint8Array(20).fill(3)].map((to) => ({
          address: addresses.format(to),
          coins: [{ denom: "uusdc", amount: "20" }],
        })),
      });
    expect(refusal(() => route?.validate(message("41"))).code).toBe(10);
    route?.validate(message("40"));
    route?.handle(ctx.signedBy(alice), message("40"));
    expect(bank.keeper.balances(ctx, alice)).toEqual([
      { denom: "ukeel", amount: 50n },
      { denom: "uusdc", amount: 60n },
    ]);
  });

  it("keeps the SDK's key and value bytes", () => {
    const { registry, ctx } = setUp();
    const stored = [...ctx.state.dirty()].flatMap(([collection, keys]) => {
      const info = registry.collections[collection];
      return keys.map(({ key, value }) => [info?.prefix + key, info?.encode(value)]);
    });
    const owner = `\x14${bytesToKey(alice)}`;
    expect(stored).toContainEqual([`\x02${owner}uusdc`, "100"]);
    expect(stored).toContainEqual([`\x03uusdc\x00${owner}`, ""]);
    expect(stored).toContainEqual(["\x00uusdc", "100"]);
  });

  it("exports what it imports, and a broken supply is found", () => {
    const { bank, ctx, registry } = setUp();
    if (bank.module.genesis.kind !== "json") throw new Error("bank genesis is JSON");
    const exported = bank.module.genesis.export(ctx);
    const copy = testContext(registry);
    bank.module.genesis.init(copy, exported);
    expect(bank.module.genesis.export(copy)).toEqual(exported);
    const balances = registry.collections.find((info) => info.name === "balances");
    copy.state.set(balances?.id ?? -1, `\x14${bytesToKey(bob)}uusdc`, balances?.hold(7n));
    expect(bank.module.invariants.full["supply-equals-balances"]?.(copy)).toContain("uusdc");
  });
});
