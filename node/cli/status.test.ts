import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { writeConfigFiles } from "../config/files.ts";
import { statusCommand } from "./status.ts";

let home: string;
let server: Server;
let port: number;
let answer: string;
let printed: string;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "keel-status-"));
  answer = '{"result":{"sync_info":{"latest_block_height":"7"}}}';
  server = createServer((request, response) =>
    response.end(request.url === "/status" ? answer : "no"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  server.close();
  rmSync(home, { recursive: true });
});

it.each(["127.0.0.1", "0.0.0.0"])(
  "asks the node of a home that listens at %s, as its configuration says",
  async (host) => {
    writeConfigFiles(home, { "rpc.laddr": `tcp://${host}:${port}` });
    await statusCommand({ home });
    expect(JSON.parse(printed)).toEqual({ sync_info: { latest_block_height: "7" } });
  },
);

it("asks the named node whatever the home says", async () => {
  writeConfigFiles(home, { "rpc.laddr": "tcp://127.0.0.1:1" });
  await statusCommand({ home, node: `http://127.0.0.1:${port}` });
  expect(printed).toContain('"latest_block_height": "7"');
});

it("says in one sentence what is missing", async () => {
  await expect(statusCommand({ home })).rejects.toThrow(
    'config.toml is missing; run "keeld init" first',
  );
  writeConfigFiles(home, { "rpc.laddr": "tcp://127.0.0.1:0" });
  await expect(statusCommand({ home })).rejects.toThrow(
    "rpc.laddr leaves the port to the system; name the node with --node",
  );
  await expect(statusCommand({ home, node: "here" })).rejects.toThrow(
    'expected --node to be http://host:port, got "here"',
  );
  await expect(statusCommand({ home, node: "http://127.0.0.1:1" })).rejects.toThrow(
    "no node answers at http://127.0.0.1:1;",
  );
  answer = "<html>";
  await expect(statusCommand({ home, node: `http://127.0.0.1:${port}` })).rejects.toThrow(
    `what answers at http://127.0.0.1:${port} is not a node`,
  );
  expect(printed).toBe("");
});
