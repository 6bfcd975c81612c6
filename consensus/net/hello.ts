/** The greeting: first frame of every stream in both directions. Peers of another protocol or chain are refused by it. */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { BinaryReader, BinaryWriter } from "./binary.ts";
import { chainIdBytesMax, helloBytesMax, monikerBytesMax } from "./limits.ts";

/** Raised when a frame's meaning changes; peers of another version are refused. */
export const protocolVersion: number = 1;
const magic = "keel";

export interface Hello {
  readonly version: number;
  readonly chainId: string;
  readonly moniker: string;
  /** The sender's listening port, 0 when it does not listen. */
  readonly listenPort: number;
  /** Eight random bytes drawn at start: tells a restarted peer from a second connection of the same process. */
  readonly session: Uint8Array;
}

export function encodeHello(hello: Hello): Uint8Array {
  return new BinaryWriter(128)
    .text(magic)
    .uint(hello.version)
    .text(hello.chainId)
    .text(hello.moniker)
    .uint(hello.listenPort)
    .bytes(hello.session)
    .finish();
}

export function decodeHello(bytes: Uint8Array): Hello {
  if (bytes.length > helloBytesMax) {
    throw new DecodeError(
      "too-large",
      `hello: expected at most ${helloBytesMax} bytes, got ${bytes.length}`,
    );
  }
  const reader = new BinaryReader(bytes);
  if (reader.text(magic.length) !== magic)
    throw new DecodeError("malformed", `hello: expected ${magic}`);
  const version = reader.uint(0xffff);
  // Later versions may say more; what follows is only read where its meaning is known.
  if (version !== protocolVersion) {
    return { version, chainId: "", moniker: "", listenPort: 0, session: new Uint8Array(0) };
  }
  const chainId = reader.text(chainIdBytesMax);
  const moniker = reader.text(monikerBytesMax);
  const listenPort = reader.uint(65_535);
  const session = reader.bytes(8);
  if (session.length !== 8)
    throw new DecodeError("malformed", `hello: expected 8 session bytes, got ${session.length}`);
  reader.end();
  return { version, chainId, moniker, listenPort, session };
}

/** Why a peer with this greeting cannot be talked to, or null. */
export function helloMismatch(theirs: Hello, ours: Hello): string | null {
  if (theirs.version !== ours.version)
    return `expected protocol version ${ours.version}, got ${theirs.version}`;
  if (theirs.chainId !== ours.chainId)
    return `expected chain ${ours.chainId}, got ${theirs.chainId}`;
  return null;
}
