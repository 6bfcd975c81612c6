import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { describe, expect, test } from "vitest";
import {
  formatGenesis,
  type GenesisDoc,
  genesisToJson,
  genesisValidators,
  parseGenesis,
} from "./genesis.ts";
import {
  privateKeyFromJson,
  privateKeyToJson,
  publicKeyFromJson,
  publicKeyToJson,
} from "./keys.ts";
import { defaultConsensusParams } from "./params.ts";
import { hashOf, makeValidators, startTime } from "./testing/world.ts";
import { isOrderedSet } from "./validator-set.ts";

const world = makeValidators([10n, 30n, 20n]);
const doc: GenesisDoc = {
  genesisTime: startTime,
  chainId: "keel-test-1",
  initialHeight: 1,
  consensusParams: { ...defaultConsensusParams, abci: { voteExtensionsEnableHeight: 1 } },
  validators: world.validators.map(({ address, pubKey, power }) => ({
    address,
    pubKey,
    power,
    name: "n",
  })),
  appHash: new Uint8Array(0),
  appState: { bank: { supply: "9007199254740993" } },
};
const json = genesisToJson(doc);

function parse(change: Readonly<Record<string, unknown>>): GenesisDoc {
  return parseGenesis(JSON.stringify({ ...json, ...change }));
}

describe("genesis documents", () => {
  test("what is written reads back, nanoseconds included", () => {
    expect(parseGenesis(formatGenesis(doc))).toEqual(doc);
    expect(json.genesis_time).toBe("2023-11-14T22:13:20.000000005Z");
  });

  test("parameters, height, address and application parts may be left out", () => {
    const minimal = parseGenesis(
      JSON.stringify({
        genesis_time: "2024-01-01T00:00:00Z",
        chain_id: "c",
        validators: [{ pub_key: json.validators?.[0]?.pub_key, power: "1" }],
        app_hash: null,
      }),
    );
    expect(minimal.initialHeight).toBe(1);
    expect(minimal.consensusParams).toEqual(defaultConsensusParams);
    expect(minimal.validators[0]?.address).toEqual(world.validators[0]?.address);
    expect(minimal.appState).toEqual({});
    expect(parse({ initial_height: 7 }).initialHeight).toBe(7);
  });

  test("validators come out in consensus order", () => {
    const shuffled = { ...doc, validators: [...doc.validators].reverse() };
    expect(isOrderedSet(genesisValidators(shuffled))).toBe(true);
    expect(genesisValidators(shuffled).map(({ power }) => power)).toEqual([30n, 20n, 10n]);
  });

  const first = json.validators?.[0];
  const params = json.consensus_params;
  const bad: readonly [string, Readonly<Record<string, unknown>>, RegExp][] = [
    ["no chain id", { chain_id: "" }, /chain_id/],
    ["a long chain id", { chain_id: "x".repeat(51) }, /chain_id/],
    ["no time", { genesis_time: undefined }, /genesis_time/],
    ["a zero time", { genesis_time: "0001-01-01T00:00:00Z" }, /genesis_time/],
    ["a misspelt field", { validatrs: [] }, /unknown field "validatrs"/],
    ["a negative height", { initial_height: "-1" }, /initial_height/],
    ["a height with sign and zeros", { initial_height: "+01" }, /initial_height/],
    ["a height above 2^53", { initial_height: "9007199254740993" }, /initial_height/],
    ["a zero power", { validators: [{ ...first, power: "0" }] }, /power/],
    ["a power above int64", { validators: [{ ...first, power: "9223372036854775808" }] }, /power/],
    ["too much power", { validators: [{ ...first, power: "9223372036854775807" }] }, /total power/],
    ["a validator twice", { validators: [first, first] }, /once/],
    [
      "another key's address",
      { validators: [{ ...first, address: bytesToHex(new Uint8Array(20)) }] },
      /address of the key/,
    ],
    [
      "another kind of key",
      { validators: [{ ...first, pub_key: { type: "tendermint/PubKeySecp256k1", value: "" } }] },
      /key: expected/,
    ],
    [
      "a short key",
      { validators: [{ ...first, pub_key: { type: "tendermint/PubKeyEd25519", value: "AAAA" } }] },
      /32 bytes/,
    ],
    ["odd hex", { app_hash: "ABC" }, /hex/],
    [
      "zero block size",
      { consensus_params: { ...params, block: { max_bytes: "0", max_gas: "-1" } } },
      /block.max_bytes/,
    ],
    [
      "other key types",
      { consensus_params: { ...params, validator: { pub_key_types: ["secp256k1"] } } },
      /pub_key_types/,
    ],
    ["params of another shape", { consensus_params: [] }, /expected an object/],
  ];
  test.each(bad)("%s is refused by name", (_, change, message) => {
    expect(() => parse(change)).toThrow(DecodeError);
    expect(() => parse(change)).toThrow(message);
  });

  test("what is no JSON object is refused", () => {
    for (const source of ["", "{", "[]", "null", "1", '"x"', "[".repeat(100_000)]) {
      expect(() => parseGenesis(source)).toThrow(DecodeError);
    }
  });
});

describe("typed JSON keys", () => {
  test("public and private keys read back", () => {
    const seed = hashOf("seed");
    const publicKey = hashOf("key");
    expect(publicKeyFromJson(publicKeyToJson(publicKey))).toEqual(publicKey);
    expect(privateKeyFromJson(privateKeyToJson(seed, publicKey))).toEqual({ seed, publicKey });
  });

  test("one kind is not the other", () => {
    expect(() => privateKeyFromJson(publicKeyToJson(hashOf("key")))).toThrow(DecodeError);
    for (const wrong of [null, 1, "x", {}, { type: "tendermint/PubKeyEd25519" }]) {
      expect(() => publicKeyFromJson(wrong)).toThrow(DecodeError);
    }
  });
});
