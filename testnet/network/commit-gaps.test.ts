import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { longestGapDuring } from "./commit-gaps.ts";

let height: number;
let server: Server;
let rpc: string;
beforeEach(async () => {
  height = 5;
  server = createServer((_request, response) => {
    const result = { sync_info: { latest_block_height: String(height) } };
    response.end(JSON.stringify({ result }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  rpc = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void server.close());

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it("is the longest stretch between two blocks", async () => {
  const gapMs = await longestGapDuring(rpc, async () => {
    for (const ms of [300, 900, 300]) {
      await wait(ms);
      height += 1;
    }
    await wait(150);
  });
  expect(gapMs).toBeGreaterThan(750);
  expect(gapMs).toBeLessThan(1_400);
});

it("counts a standstill that lasts to the end, and a node that has gone", async () => {
  expect(await longestGapDuring(rpc, () => wait(700))).toBeGreaterThan(650);
  server.close();
  server.closeAllConnections();
  expect(await longestGapDuring(rpc, () => wait(500))).toBeGreaterThan(450);
});
