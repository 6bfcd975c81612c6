import { txHash } from "@keel/consensus/wire/block";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { expect, test } from "vitest";
import { eventOf, makeBlocks, responseOf, resultOf } from "../store/level/testing.ts";
import { SubscriptionHub } from "./subscriptions.ts";

test("a query that names its kind gets that kind, one that does not gets whatever meets it", () => {
  const hub = new SubscriptionHub({ clientsMax: 1, perClientMax: 10 });
  const got: string[] = [];
  const client = hub.join((id, payload) => {
    const { data } = JSON.parse(payload) as { data: { type: string } };
    got.push(`${id} ${data.type.replace("tendermint/event/", "")}`);
  });
  const [made] = makeBlocks(1);
  if (made === undefined) throw new Error("expected a block");
  const { block, blockId } = made.stored;
  const [tx] = block.txs;
  const result = responseOf(
    [resultOf([eventOf("order", ["side", "buy"])])],
    [eventOf("mint", ["amount", "3"])],
  );
  client.subscribe("headers", "tm.event='NewBlockHeader'");
  hub.publish({ block, blockId, result });
  expect(got.splice(0)).toEqual(["headers NewBlockHeader"]);

  client.subscribe("buys", "tm.event='Tx' AND order.side='buy'");
  client.subscribe("sells", "tm.event='Tx' AND order.side='sell'");
  client.subscribe("hash", `tx.hash='${bytesToHex(txHash(tx as Uint8Array))}'`);
  client.subscribe("mints", "mint.amount=3");
  client.subscribe("both", "tm.event='Tx' AND tm.event='NewBlock'");
  hub.publish({ block, blockId, result });
  expect(got.splice(0)).toEqual([
    "mints NewBlock",
    "headers NewBlockHeader",
    "mints NewBlockEvents",
    "buys Tx",
    "hash Tx",
  ]);

  client.unsubscribeAll();
  hub.publish({ block, blockId, result });
  expect(got).toEqual([]);
});

test("a query longer than 512 characters is refused, and followed by nobody", () => {
  const hub = new SubscriptionHub({ clientsMax: 1, perClientMax: 10 });
  const client = hub.join(() => undefined);
  const queryOf = (length: number): string => `a.b='${"x".repeat(length - 6)}'`;
  client.subscribe(1, queryOf(512));
  const refused = (reason: string) =>
    expect.objectContaining({ data: expect.stringContaining(reason) });
  expect(() => client.subscribe(2, queryOf(513))).toThrow(
    refused("at most 512 characters, got 513"),
  );
  expect(() => client.unsubscribe(queryOf(513))).toThrow(refused("subscription not found"));
});
