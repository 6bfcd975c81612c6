import { instrumentOf } from "@keel/modules/derivatives/instruments";
import { createAddresses } from "@keel/modules/kit/addresses";
import { QueryMarketResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { btcPerpetual } from "../app/testing/market-genesis.ts";
import { Params } from "../rpc/params.ts";
import { MemoryDatabase } from "../store/level/memory-database.ts";
import { HistoryReader } from "./history-reader.ts";
import { openHistoryWriter } from "./history-writer.ts";
import { historyMethods } from "./methods.ts";
import { keepAll } from "./testing.ts";

const symbol = "BTC-PERP";
const addresses = createAddresses("keel");
const account = `${addresses.format(new Uint8Array(20).fill(3))}/0`;

/** A market of the symbol traded as number 1; `listed` is its number now, or it is gone. */
async function ask(name: "trades" | "fills", listed: number | null): Promise<unknown[]> {
  const database = new MemoryDatabase();
  const market = Market.fromPartial({ ...btcPerpetual(), id: 1, status: 1, symbol });
  const writer = await openHistoryWriter(database, keepAll);
  const parties = [{ account, side: "buy", role: "", orderId: "", fee: "0" }] as const;
  const terms = {
    price: "65000",
    size: "0.001",
    side: "buy",
    kind: "book",
    isTrade: true,
  } as const;
  const print = { ...terms, height: 1, number: 0, timeMs: 1, market: 1, symbol, parties };
  await writer.write({ height: 1, timeMs: 1, prints: [print], funding: [] }, () =>
    instrumentOf(market),
  );
  const view = QueryMarketResponse.fromPartial({
    market: { market: { ...market, id: listed ?? 0 } },
  });
  const methods = historyMethods({
    history: new HistoryReader(database),
    addresses,
    app: {
      async query() {
        const code = listed === null ? 1 : 0;
        return { code, value: QueryMarketResponse.encode(view).finish() } as never;
      },
    },
  });
  const method = methods[name]!;
  const params = Params.fromJson({ market: symbol, account }, method.params);
  return ((await method.handle(params)) as Record<string, unknown[]>)[name]!;
}

describe.each(["trades", "fills"] as const)("%s of a symbol", (name) => {
  it("are of the market that has it now, before its first trade too", async () => {
    expect(await ask(name, 1)).toHaveLength(1);
    expect(await ask(name, 2)).toEqual([]);
  });

  it("are of the last market that had it, when none has it now", async () => {
    expect(await ask(name, null)).toHaveLength(1);
  });
});
