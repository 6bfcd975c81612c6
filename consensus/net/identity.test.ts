import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { generateNodeKey, loadOrCreateNodeKey, nodeKeyToJson, parseNodeKey } from "./node-key.ts";
import {
  formatPeerAddress,
  hostPortToMultiaddr,
  nodeKeyToPeerId,
  parseListenAddress,
  parsePeerAddress,
  parsePeerList,
} from "./peer-address.ts";

const id = "630dcd2966c4336691125448bbb25b4ff412a49c";
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

describe("node identity", () => {
  it("names a key as CometBFT does", () => {
    expect(nodeKeyToPeerId(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(id);
  });

  it("is written once, readable only by its owner, and read back", () => {
    const directory = mkdtempSync(join(tmpdir(), "keel-key-"));
    directories.push(directory);
    const path = join(directory, "config", "node_key.json");
    const key = loadOrCreateNodeKey(path);
    expect(loadOrCreateNodeKey(path)).toEqual(key);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, "{}");
    expect(() => loadOrCreateNodeKey(path)).toThrow(
      "expected priv_key of type tendermint/PrivKeyEd25519",
    );
  });

  it("refuses a key file whose halves do not belong together", () => {
    const [one, other] = [generateNodeKey(), generateNodeKey()];
    expect(parseNodeKey(nodeKeyToJson(one))).toEqual(one);
    const mixed = {
      ...one,
      privateKey: Uint8Array.from([...one.privateKey.slice(0, 32), ...other.publicKey]),
    };
    expect(() => parseNodeKey(nodeKeyToJson(mixed))).toThrow("does not belong");
    for (const text of ["", "null", "[]", '{"priv_key":{"type":"x","value":""}}']) {
      expect(() => parseNodeKey(text)).toThrow(/^node key: /);
    }
  });
});

describe("peer addresses", () => {
  it("are read in every form a config file holds", () => {
    expect(parsePeerAddress(`${id}@10.0.0.1:26656`)).toEqual({
      id,
      host: "10.0.0.1",
      port: 26_656,
    });
    expect(parsePeerAddress(`tcp://${id.toUpperCase()}@[::1]:1`)).toEqual({
      id,
      host: "::1",
      port: 1,
    });
    expect(formatPeerAddress(parsePeerAddress(`${id}@[::1]:1`))).toBe(`${id}@[::1]:1`);
    expect(parsePeerList(`${id}@a.example:1, ,${id}@b:2`).map((peer) => peer.host)).toEqual([
      "a.example",
      "b",
    ]);
    expect(parseListenAddress("tcp://0.0.0.0:26656")).toEqual({ host: "0.0.0.0", port: 26_656 });
    expect(parseListenAddress(":0")).toEqual({ host: "0.0.0.0", port: 0 });
  });

  it("become libp2p's", () => {
    const forms = ["1.2.3.4:5", "[::1]:5", "node0.example:5"].map((text) =>
      hostPortToMultiaddr(parseListenAddress(text)),
    );
    expect(forms).toEqual(["/ip4/1.2.3.4/tcp/5", "/ip6/::1/tcp/5", "/dns/node0.example/tcp/5"]);
  });

  it("are refused otherwise", () => {
    const bad = [
      "",
      "host:1",
      `${id}@host`,
      `${id}@host:70000`,
      `${id}x@host:1`,
      `${id}@a/b:1`,
      `${id}@host:-1`,
    ];
    for (const text of bad) expect(() => parsePeerAddress(text)).toThrow(/address/);
  });
});
