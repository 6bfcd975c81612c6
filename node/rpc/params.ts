/**
 * Reads method parameters from JSON (by name or in order) or from a URL (where strings are quoted and bytes are 0x… or quoted).
 * int64 comes as "5" or 5; bytes as base64, HexBytes as hex.
 */
import { base64ToBytes } from "@keel/proto/bytes/base64";
import { hexToBytes } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { invalidParams } from "./json-rpc.ts";

export class Params {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #fromUrl: boolean;

  private constructor(values: ReadonlyMap<string, unknown>, fromUrl: boolean) {
    this.#values = values;
    this.#fromUrl = fromUrl;
  }

  /** `names` gives the order for positional parameters. */
  static fromJson(params: unknown, names: readonly string[]): Params {
    if (params === undefined || params === null) return new Params(new Map(), false);
    if (Array.isArray(params)) {
      if (params.length > names.length)
        throw invalidParams(`expected at most ${names.length} parameters, got ${params.length}`);
      return new Params(new Map(params.map((value, i) => [names[i] as string, value])), false);
    }
    if (typeof params !== "object") throw invalidParams("expected parameters as object or array");
    return new Params(new Map(Object.entries(params)), false);
  }

  static fromUrl(query: URLSearchParams): Params {
    return new Params(new Map(query.entries()), true);
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string")
      throw invalidParams(`${name}: expected a string, got ${typeof value}`);
    if (!this.#fromUrl) return value;
    const quoted = /^"(.*)"$/s.exec(value) ?? /^'(.*)'$/s.exec(value);
    if (quoted === null)
      throw invalidParams(`${name}: expected a quoted string, got ${value.slice(0, 40)}`);
    return quoted[1] as string;
  }

  /** A safe integer ≥ 0. */
  integer(name: string): number | undefined {
    let value = this.#values.get(name);
    if (value === undefined || value === null || value === "") return undefined;
    if (this.#fromUrl && typeof value === "string") value = value.replace(/^"(.*)"$/, "$1");
    const number = typeof value === "string" && /^[0-9]{1,16}$/.test(value) ? Number(value) : value;
    if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0) {
      throw invalidParams(
        `${name}: expected a whole number, got ${JSON.stringify(value).slice(0, 40)}`,
      );
    }
    return number;
  }

  /** A height as upstream answers for bad ones: 0 is not one. */
  height(name = "height"): number | undefined {
    const value = this.#values.get(name);
    if (typeof value === "string" && /^"?-[0-9]/.test(value))
      throw invalidParams("height must be greater than 0");
    return this.integer(name);
  }

  boolean(name: string): boolean {
    const value = this.#values.get(name);
    if (value === undefined || value === null || value === false || value === "false") return false;
    if (value === true || value === "true") return true;
    throw invalidParams(`${name}: expected true or false`);
  }

  /** Go []byte: base64 in JSON; 0x… or a quoted raw string in a URL. */
  bytes(name: string): Uint8Array | undefined {
    const value = this.#values.get(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw invalidParams(`${name}: expected a string`);
    return this.#decode(name, value, this.#fromUrl ? undefined : base64ToBytes);
  }

  /** Go HexBytes: hex in JSON; 0x…, bare hex or a quoted raw string in a URL. */
  hexBytes(name: string): Uint8Array | undefined {
    const value = this.#values.get(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw invalidParams(`${name}: expected a string`);
    return this.#decode(
      name,
      value,
      this.#fromUrl && value.startsWith('"') ? undefined : hexToBytes,
    );
  }

  #decode(
    name: string,
    value: string,
    decode: ((text: string) => Uint8Array) | undefined,
  ): Uint8Array {
    try {
      if (this.#fromUrl && value.startsWith("0x")) return hexToBytes(value.slice(2));
      if (decode !== undefined) return decode(value);
    } catch (error) {
      throw invalidParams(`${name}: ${(error as Error).message}`);
    }
    return utf8ToBytes(this.text(name) as string);
  }
}
