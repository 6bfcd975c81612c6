/** Account addresses in text. The prefix is the chain's, given at construction and never written down in modules. */
import { bech32Decode, bech32Encode } from "@keel/proto/bytes/bech32";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { bytesToKey } from "./collections/codecs.ts";
import { ModuleError } from "./errors.ts";

export interface Addresses {
  readonly prefix: string;
  /** 20 raw bytes; throws ModuleError (sdk 7) on anything but a valid address with this chain's prefix. */
  parse(text: string): Uint8Array;
  format(bytes: Uint8Array): string;
}

const MEMO_MAX = 65_536;

export function createAddresses(prefix: string): Addresses {
  // Decoding and encoding are pure, so remembering them changes nothing but speed; emptied when full.
  const parsed = new Map<string, Uint8Array>();
  const formatted = new Map<string, string>();
  return {
    prefix,
    parse(text) {
      const known = parsed.get(text);
      if (known !== undefined) return known;
      const bytes = decode(text, prefix);
      if (parsed.size >= MEMO_MAX) parsed.clear();
      parsed.set(text, bytes);
      return bytes;
    },
    format(bytes) {
      const key = bytesToKey(bytes);
      const known = formatted.get(key);
      if (known !== undefined) return known;
      const text = bech32Encode(prefix, bytes);
      if (formatted.size >= MEMO_MAX) formatted.clear();
      formatted.set(key, text);
      return text;
    },
  };
}

function decode(text: string, prefix: string): Uint8Array {
  let decoded: { readonly prefix: string; readonly bytes: Uint8Array };
  try {
    decoded = bech32Decode(text);
  } catch (error) {
    throw invalid(`"${text.slice(0, 100)}" is not bech32: ${(error as Error).message}`);
  }
  if (decoded.prefix !== prefix) {
    throw invalid(`invalid Bech32 prefix; expected ${prefix}, got ${decoded.prefix}`);
  }
  if (decoded.bytes.length !== 20) {
    throw invalid(`expected a 20-byte address, got ${decoded.bytes.length} bytes`);
  }
  return decoded.bytes;
}

function invalid(message: string): ModuleError {
  return new ModuleError("sdk", 7, `${message}: invalid address`);
}

/** The account address of a module, as the SDK derives it: SHA-256(name)[:20]. */
export function moduleAddress(name: string): Uint8Array {
  return sha256(utf8ToBytes(name)).slice(0, 20);
}
