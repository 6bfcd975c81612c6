import { KeelConnectionError } from "@keel/client/errors";
import type { TxOutcome } from "@keel/client/tx-result";
import { expect, test } from "vitest";
import { CreditDesk, type DeskOptions, FaucetRefusal } from "./desk.ts";
import { QUEUE_MAX, SENDS_PER_TX } from "./limits.ts";

const alice = "keel1s5lm740f2ylp78anvp5r3qj980wltrwel6v0qu";
const bob = "keel1xr6tysusajryvxlrk7c522v5ewwcasytpat3tq";

/** A signer that writes down what it is asked to pay. */
function setUp(options: Partial<DeskOptions> = {}) {
  const paid: string[][] = [];
  const state = { now: 0, failing: false };
  const client = {
    address: alice,
    messages: {
      send: (to: string, coins: readonly { denom: string; amount: string }[]) => ({
        typeUrl: "/cosmos.bank.v1beta1.MsgSend",
        value: `${to} ${coins[0]?.amount}${coins[0]?.denom}`,
      }),
    },
    execute(messages: readonly { value: string }[]): Promise<TxOutcome> {
      if (state.failing) return Promise.reject(new KeelConnectionError("unreachable", "gone"));
      paid.push(messages.map(({ value }) => value));
      return Promise.resolve({ hash: `TX${paid.length}` } as TxOutcome);
    },
  };
  const desk = new CreditDesk({
    client: client as unknown as DeskOptions["client"],
    credits: { uusdc: 1000n, ukeel: 5n },
    cooldownMs: 60_000,
    tickMs: 1,
    now: () => state.now,
    ...options,
  });
  return { desk, paid, state };
}

const status = (code: number): unknown => expect.objectContaining({ status: code });

test("credits that arrive together are paid by one transaction", async () => {
  const { desk, paid } = setUp();
  const hashes = await Promise.all([
    desk.credit(alice, "uusdc"),
    desk.credit(bob, "uusdc"),
    desk.credit(bob, "ukeel"),
  ]);
  expect(hashes).toEqual(["TX1", "TX1", "TX1"]);
  expect(paid).toEqual([[`${alice} 1000uusdc`, `${bob} 1000uusdc`, `${bob} 5ukeel`]]);
});

test("an address is paid once per cool-down and denom, also while the first credit waits", async () => {
  const { desk, state } = setUp();
  const first = desk.credit(alice, "uusdc");
  await expect(desk.credit(alice, "uusdc")).rejects.toEqual(status(429));
  await first;
  state.now = 59_999;
  await expect(desk.credit(alice, "uusdc")).rejects.toThrow("come again in 1 s");
  state.now = 60_000;
  await expect(desk.credit(alice, "uusdc")).resolves.toBe("TX2");
});

test("a credit that could not be paid starts no cool-down", async () => {
  const { desk, state } = setUp();
  state.failing = true;
  await expect(desk.credit(alice, "uusdc")).rejects.toEqual(status(503));
  state.failing = false;
  await expect(desk.credit(alice, "uusdc")).resolves.toBe("TX1");
});

test("unknown denoms and addresses of other chains are refused before anything is queued", async () => {
  const { desk } = setUp();
  await expect(desk.credit(alice, "toString")).rejects.toEqual(status(422));
  await expect(desk.credit(`${alice}x`, "uusdc")).rejects.toEqual(status(400));
  await expect(
    desk.credit("cosmos1pkptre7fdkl6gfrzlesjjvhxhlc3r4gmmk8rs6", "uusdc"),
  ).rejects.toBeInstanceOf(FaucetRefusal);
  expect(desk.waiting).toBe(0);
});

test("a long queue is paid in bounded transactions, and a full one refuses", async () => {
  const { desk, paid } = setUp({ cooldownMs: 0 });
  const credits = Array.from({ length: QUEUE_MAX }, () => desk.credit(bob, "ukeel"));
  await expect(desk.credit(bob, "ukeel")).rejects.toEqual(status(503));
  await Promise.all(credits);
  expect(paid.map((messages) => messages.length)).toEqual(
    Array(QUEUE_MAX / SENDS_PER_TX).fill(SENDS_PER_TX),
  );
});

test("closing pays what waits and refuses what comes later", async () => {
  const { desk, paid } = setUp({ tickMs: 60_000 });
  const waiting = desk.credit(bob, "ukeel");
  await desk.close();
  await expect(waiting).resolves.toBe("TX1");
  expect(paid).toHaveLength(1);
  await expect(desk.credit(alice, "ukeel")).rejects.toEqual(status(503));
});
