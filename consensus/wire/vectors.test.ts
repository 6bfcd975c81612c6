import { bytesToHex, bytesToHexLower, hexToBytes } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { parseTimestamp, zeroTime } from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { describe, expect, test } from "vitest";
import { resultLeaf, resultsHash } from "./abci.ts";
import { dataHash, encodeBlock } from "./block.ts";
import { blockIdMessage, zeroBlockId } from "./block-id.ts";
import { absentSignature, commitHash, commitSigMessage, emptyCommit } from "./commit.ts";
import { headerHash, headerLeaves } from "./header.ts";
import { ed25519Address } from "./keys.ts";
import { leafHash, merkleRoot } from "./merkle.ts";
import { consensusHash, defaultConsensusParams } from "./params.ts";
import { canonicalVoteSignBytes, voteExtensionSignBytes } from "./sign-bytes.ts";
import { hashOf, makeHeader, makeValidators } from "./testing/world.ts";
import { timestampMessage } from "./timestamp.ts";
import type { Header } from "./types.ts";
import { simpleValidatorBytes, validatorsHash } from "./validator-set.ts";

const hex = bytesToHexLower;
const unhex = hexToBytes;

describe("always-written empties", () => {
  test("a zero BlockID takes two bytes", () => {
    expect(hex(blockIdMessage.encode(zeroBlockId))).toBe("1200");
  });

  test("Go's zero time takes eleven bytes", () => {
    expect(hex(timestampMessage.encode(zeroTime))).toBe("088092b8c398feffffff01");
  });

  test("an absent CommitSig carries the zero time", () => {
    const { extension: _, extensionSignature: __, ...absent } = absentSignature;
    expect(hex(commitSigMessage.encode(absent))).toBe("08011a0b088092b8c398feffffff01");
  });

  test("an initial block ends in empty data, evidence and commit", () => {
    const world = makeValidators([1n]);
    const header = makeHeader(world, { height: 1 });
    const bytes = hex(encodeBlock({ header, txs: [], evidence: [], lastCommit: emptyCommit }));
    expect(bytes.endsWith("12001a0022041a021200")).toBe(true);
    expect(hex(commitHash(emptyCommit))).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });
});

describe("Merkle roots", () => {
  const rows: readonly [readonly string[], string][] = [
    [[], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    [[""], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
    [["010203"], "054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8"],
    [["010203", "040506"], "82e6cfce00453804379b53962939eaa7906b39904be0813fcadd31b100773c4b"],
    [
      ["0102", "0304", "0506", "0708", "090a"],
      "f326493eceab4f2d9ffbc78c59432a0a005d6ea98392045c74df5d14a113be18",
    ],
  ];
  test.each(rows)("of %j", (items, root) => {
    expect(hex(merkleRoot(items.map(unhex)))).toBe(root);
  });
});

describe("header hash", () => {
  const blockHash = new Uint8Array(32);
  const header: Header = {
    version: { block: 1n, app: 2n },
    chainId: "chainId",
    height: 3,
    time: parseTimestamp("2019-10-13T16:14:44Z"),
    lastBlockId: { hash: blockHash, partSetHeader: { total: 6, hash: blockHash } },
    lastCommitHash: hashOf("last_commit_hash"),
    dataHash: hashOf("data_hash"),
    validatorsHash: hashOf("validators_hash"),
    nextValidatorsHash: hashOf("next_validators_hash"),
    consensusHash: hashOf("consensus_hash"),
    appHash: hashOf("app_hash"),
    lastResultsHash: hashOf("last_results_hash"),
    evidenceHash: hashOf("evidence_hash"),
    proposerAddress: hashOf("proposer_address").slice(0, 20),
  };

  test("agrees with CometBFT's own vector", () => {
    expect(bytesToHex(headerHash(header))).toBe(
      "F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4",
    );
  });

  test("leaves are wrapped scalars, bare messages, or empty", () => {
    const leaves = headerLeaves({
      ...header,
      version: { block: 11n, app: 1n },
      lastBlockId: zeroBlockId,
      dataHash: new Uint8Array(0),
    }).map(hex);
    expect(leaves).toHaveLength(14);
    expect(leaves[0]).toBe("080b1001");
    expect(leaves[1]).toBe(`0a07${hex(utf8ToBytes("chainId"))}`);
    expect(leaves[2]).toBe("0803");
    expect(leaves[4]).toBe("1200");
    expect(hex(leafHash(unhex("1200"))).slice(0, 8)).toBe("9c756c25");
    expect(leaves[6]).toBe("");
    expect(leaves[7]).toBe(`0a20${hex(hashOf("validators_hash"))}`);
  });

  test("without a validators hash there is none", () => {
    expect(headerHash({ ...header, validatorsHash: new Uint8Array(0) })).toHaveLength(0);
  });
});

describe("other hashes", () => {
  test("consensus hash of the defaults", () => {
    expect(bytesToHex(consensusHash(defaultConsensusParams))).toBe(
      "048091BC7DDC283F77BFBF91D73C44DA58C3DF8A9CBC867405D8B7F3DAADA22F",
    );
    expect(sha256(unhex("088080c00a10ffffffffffffffffff01"))).toEqual(
      consensusHash(defaultConsensusParams),
    );
  });

  test("data hash covers transaction hashes", () => {
    expect(hex(dataHash([utf8ToBytes("a=b"), utf8ToBytes("c=d")]))).toBe(
      "8ae53b6c81cead8d1b9b29299f6730dfe95652f45e1dfeb474548292df79407f",
    );
  });

  test("a validator's leaf, address and set hash", () => {
    const pubKey = new Uint8Array(32).map((_, i) => i);
    expect(hex(simpleValidatorBytes({ pubKey, power: 10n }))).toBe(`0a220a20${hex(pubKey)}100a`);
    expect(bytesToHex(ed25519Address(pubKey))).toBe("630DCD2966C4336691125448BBB25B4FF412A49C");
    expect(bytesToHex(validatorsHash([{ pubKey, power: 10n }]))).toBe(
      "A9518FEA7BC2DDEF53F1CCA0F621CB70DBB3D919130682E967115B15E9B7F007",
    );
  });

  test("results hash covers code, data and gas only", () => {
    const result = {
      code: 5,
      data: new Uint8Array(0),
      log: "log",
      info: "info",
      gasWanted: 99_000n,
      gasUsed: 45_000n,
      events: [{ type: "e", attributes: [] }],
      codespace: "sdk",
    };
    expect(hex(resultLeaf(result))).toBe("080528b8850630c8df02");
    expect(hex(resultsHash([result]))).toBe(
      "f8620ef795f5cd34edefc1da1ca94013447c23f4b132658bdadd7a057e5e3462",
    );
    expect(
      resultLeaf({ code: 0, data: new Uint8Array(0), gasWanted: 0n, gasUsed: 0n }),
    ).toHaveLength(0);
  });
});

describe("sign bytes", () => {
  const empty = { type: 0, height: 0, round: 0, blockId: null, timestamp: zeroTime, chainId: "" };
  const rows: readonly [string, Parameters<typeof canonicalVoteSignBytes>[0], string][] = [
    ["empty vote", empty, "0d2a0b088092b8c398feffffff01"],
    [
      "precommit of height 1, round 1",
      { ...empty, type: 2, height: 1, round: 1 },
      "2108021101000000000000001901000000000000002a0b088092b8c398feffffff01",
    ],
    [
      "untyped vote with a chain id",
      { ...empty, height: 1, round: 1, chainId: "test_chain_id" },
      "2e1101000000000000001901000000000000002a0b088092b8c398feffffff01320d746573745f636861696e5f6964",
    ],
  ];
  test.each(rows)("of an %s", (_, vote, expected) => {
    expect(hex(canonicalVoteSignBytes(vote))).toBe(expected);
  });

  test("of extensions, empty or not", () => {
    const extension = utf8ToBytes("extension");
    expect(hex(voteExtensionSignBytes("test_chain_id", { extension, height: 1, round: 1 }))).toBe(
      "2c0a09657874656e73696f6e110100000000000000190100000000000000220d746573745f636861696e5f6964",
    );
    const none = { extension: new Uint8Array(0), height: 1, round: 0 };
    expect(hex(voteExtensionSignBytes("test_chain_id", none))).toBe(
      "18110100000000000000220d746573745f636861696e5f6964",
    );
  });
});
