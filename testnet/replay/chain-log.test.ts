import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { ChainLog } from "./chain-log.ts";

it("counts each block once, up to the height it is told to end at and never beyond", async () => {
  let height = 5;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    const asked = Number(url.searchParams.get("height"));
    const answers: Record<string, unknown> = {
      "/status": { sync_info: { latest_block_height: String(height) } },
      "/header": {
        header: { height: `${asked}`, time: `2025-01-01T00:00:0${asked}Z`, app_hash: "" },
      },
      "/block_results": {
        txs_results: [{ code: 0, events: [] }],
        finalize_block_events: [
          { type: "insurance_received", attributes: [{ key: "amount", value: `${asked}` }] },
        ],
        app_hash: "",
      },
    };
    response.end(JSON.stringify({ result: answers[url.pathname] }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const log = new ChainLog(["http://127.0.0.1:1", `http://127.0.0.1:${port}`]);
  expect(await log.stop()).toBe(5);
  height = 9;
  await log.finish(7);
  expect([log.height, log.tally.insuranceReceived]).toEqual([7, 28n]);
  await expect(log.finish(6)).rejects.toThrow("block 7 is counted already");
  server.close();
});
