import { describe, expect, test } from "vitest";
import { base64ToBytes, bytesToBase64 } from "./base64.ts";
import { bech32Decode, bech32Encode } from "./bech32.ts";
import { bytesToLatin1, compareBytes, concatBytes, equalBytes, latin1ToBytes } from "./compare.ts";
import { DecodeError } from "./decode-error.ts";
import { bytesToHex, bytesToHexLower, hexToBytes } from "./hex.ts";
import { ripemd160 } from "./ripemd160.ts";
import { sha256 } from "./sha256.ts";
import { sha256 as sha256Node } from "./sha256-node.ts";
import { sha256 as sha256Pure } from "./sha256-pure.ts";
import * as textsNode from "./texts-node.ts";
import * as textsPure from "./texts-pure.ts";
import { bytesToUtf8, utf8ToBytes } from "./utf8.ts";
import { decodeUvarint, decodeVarint, encodeUvarint, encodeVarint } from "./varint.ts";

describe("text encodings", () => {
  test("hex is written in the named case and read in either", () => {
    const bytes = Uint8Array.of(0, 0xab, 0xff);
    expect(bytesToHex(bytes)).toBe("00ABFF");
    expect(bytesToHexLower(bytes)).toBe("00abff");
    expect(hexToBytes("00aBFf")).toEqual(bytes);
    for (const bad of ["0", "0g", "0x00", " 00", "00\u0130"]) {
      expect(() => hexToBytes(bad), bad).toThrow(DecodeError);
    }
  });

  test("base64 agrees with RFC 4648 section 10", () => {
    const rows = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
    rows.forEach((text, length) => {
      const bytes = utf8ToBytes("foobar".slice(0, length));
      expect(bytesToBase64(bytes)).toBe(text);
      expect(base64ToBytes(text)).toEqual(bytes);
    });
  });

  test("are the same with node's Buffer and without, of views too", () => {
    const bytes = Uint8Array.from({ length: 9_000 }, (_, i) => (i * 37 + (i >> 8)) & 255);
    for (const length of [0, 1, 2, 3, 40, 41, 64, 255, 4_096, 4_097, 8_999]) {
      const view = bytes.subarray(1, 1 + length);
      expect(textsNode.latin1Text(view)).toBe(textsPure.latin1Text(view));
      expect(textsNode.base64Text(view)).toBe(textsPure.base64Text(view));
      expect(latin1ToBytes(bytesToLatin1(view))).toEqual(view);
      expect(textsNode.base64Bytes(textsNode.base64Text(view))).toEqual(view.slice());
      expect(textsPure.base64Bytes(textsPure.base64Text(view))).toEqual(view.slice());
    }
  });

  test("base64 has one accepted text per byte string", () => {
    for (const bad of [
      "\u0130g==",
      "Zm9vé",
      "Zg",
      "Zg=",
      "Zh==",
      "Zm9=",
      "Zg==\n",
      "====",
      "=g==",
      "Z===",
      "Zm-_",
      "Zg==Zg==",
    ]) {
      expect(() => base64ToBytes(bad), bad).toThrow(DecodeError);
      expect(textsNode.base64Bytes(bad), bad).toBe(null);
      expect(textsPure.base64Bytes(bad), bad).toBe(null);
    }
  });

  test("utf8 refuses what is not well formed", () => {
    expect(bytesToUtf8(utf8ToBytes("käl €😀\ufeff"))).toBe("käl €😀\ufeff");
    expect(bytesToUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
    for (const bad of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xff], [0xe2, 0x82]]) {
      expect(() => bytesToUtf8(Uint8Array.from(bad))).toThrow(DecodeError);
    }
    expect(() => utf8ToBytes("a\ud800")).toThrow(DecodeError);
    expect(() => utf8ToBytes("\udc00\ud800")).toThrow(DecodeError);
  });
});

describe("bech32", () => {
  const valid = [
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "?1ezyfcl",
  ];
  test("the decodable BIP-173 examples are accepted and written back in lower case", () => {
    for (const text of valid) {
      const { prefix, bytes } = bech32Decode(text);
      expect(bech32Encode(prefix, bytes)).toBe(text.toLowerCase());
    }
  });

  test("the invalid BIP-173 examples are refused", () => {
    const invalid = [
      "\u00201nwldj5",
      "\u007f1axkwrx",
      "\u00801eym55h",
      "pzry9x0s0muk",
      "1pzry9x0s0muk",
      "x1b4n0q5v",
      "li1dgmt3",
      "de1lg7wt\u00ff",
      "A1G7SGD8",
      "10a06t8",
      "1qzzfhee",
      "A12uEL5L",
      // Non-zero spare bits: a valid checksum alone is not enough.
      "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv",
    ];
    for (const text of invalid) expect(() => bech32Decode(text), text).toThrow(DecodeError);
  });

  test("a known Cosmos address", () => {
    const bytes = hexToBytes("0d82b1e7c96dbfa42462fe612932e6bff111d51b");
    const text = "cosmos1pkptre7fdkl6gfrzlesjjvhxhlc3r4gmmk8rs6";
    expect(bech32Encode("cosmos", bytes)).toBe(text);
    expect(bech32Decode(text)).toEqual({ prefix: "cosmos", bytes });
  });

  test("every one-character change is noticed", () => {
    const text = bech32Encode("keel", new Uint8Array(20).fill(7));
    for (let i = 5; i < text.length; i++) {
      const other = text.charAt(i) === "q" ? "p" : "q";
      expect(() => bech32Decode(text.slice(0, i) + other + text.slice(i + 1))).toThrow(DecodeError);
    }
  });

  test("length limits hold on both sides", () => {
    expect(() => bech32Encode("keel", new Uint8Array(700))).toThrow(RangeError);
    expect(() => bech32Encode("Keel", new Uint8Array(20))).toThrow(RangeError);
    expect(() => bech32Decode(`keel1${"q".repeat(1100)}`)).toThrow(DecodeError);
  });
});

describe("hashes", () => {
  test("sha256 and ripemd160 of abc", () => {
    const abc = utf8ToBytes("abc");
    expect(bytesToHexLower(sha256(abc))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(bytesToHexLower(ripemd160(abc))).toBe("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
  });

  test("native and pure sha256 are equal over block boundaries", () => {
    for (let length = 0; length < 200; length++) {
      const bytes = new Uint8Array(length).map((_, i) => (i * 31 + length) & 255);
      const digest = sha256Node(bytes);
      expect(digest).toEqual(sha256Pure(bytes));
      expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype);
    }
  });
});

describe("byte strings", () => {
  test("order is bytewise with prefixes first", () => {
    const ordered = [[], [0], [0, 0], [0, 255], [1], [255]].map((row) => Uint8Array.from(row));
    ordered.forEach((a, i) => {
      ordered.forEach((b, j) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(i - j));
        expect(equalBytes(a, b)).toBe(i === j);
      });
    });
  });

  test("joining copies and latin1 keeps every byte", () => {
    const all = new Uint8Array(10_000).map((_, i) => i & 255);
    expect(concatBytes(all.subarray(0, 3), new Uint8Array(0), all.subarray(3))).toEqual(all);
    expect(latin1ToBytes(bytesToLatin1(all))).toEqual(all);
    expect(() => latin1ToBytes("\u0100")).toThrow(RangeError);
  });
});

describe("varints", () => {
  test("known encodings", () => {
    const rows: readonly [bigint, string][] = [
      [0n, "00"],
      [127n, "7f"],
      [128n, "8001"],
      [300n, "ac02"],
      [(1n << 64n) - 1n, "ffffffffffffffffff01"],
    ];
    for (const [value, hex] of rows) {
      expect(bytesToHexLower(encodeUvarint(value))).toBe(hex);
      expect(decodeUvarint(hexToBytes(`ee${hex}`), 1)).toEqual({ value, next: 1 + hex.length / 2 });
    }
    expect(bytesToHexLower(encodeVarint(-1))).toBe("01");
    expect(bytesToHexLower(encodeVarint(1))).toBe("02");
    expect(bytesToHexLower(encodeVarint(-(1n << 63n)))).toBe("ffffffffffffffffff01");
    expect(decodeVarint(hexToBytes("ffffffffffffffffff01")).value).toBe(-(1n << 63n));
  });

  test("cut, long and oversized varints are refused", () => {
    for (const bad of [
      "",
      "80",
      "8000",
      "808080808000",
      "ffffffffffffffffff02",
      "ffffffffffffffffffff01",
    ]) {
      expect(() => decodeUvarint(hexToBytes(bad)), bad).toThrow(DecodeError);
    }
    expect(() => encodeUvarint(1n << 64n)).toThrow(RangeError);
    expect(() => encodeUvarint(-1)).toThrow(RangeError);
    expect(() => encodeVarint(1n << 63n)).toThrow(RangeError);
  });
});
