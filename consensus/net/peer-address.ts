/** Names and addresses of peers: `id@host:port`, and `tcp://host:port` for listeners, as CometBFT's config writes them. */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToHexLower } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import type { PeerId } from "../host/ports.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface PeerAddress extends HostPort {
  readonly id: PeerId;
}

/** `hex(SHA256(ed25519 public key)[:20])`, lower case: CometBFT's node id. */
export function nodeKeyToPeerId(publicKey: Uint8Array): PeerId {
  return bytesToHexLower(sha256(publicKey).subarray(0, 20));
}

/** Parses `id@host:port` (an optional `tcp://` in front); throws `DecodeError` on anything else. */
export function parsePeerAddress(text: string): PeerAddress {
  const plain = withoutScheme(text.trim());
  const at = plain.indexOf("@");
  const id = plain.slice(0, Math.max(at, 0)).toLowerCase();
  if (!/^[0-9a-f]{40}$/.test(id)) {
    throw new DecodeError(
      "malformed",
      `peer address: expected 40 hex digits, @, host:port, got ${quote(text)}`,
    );
  }
  return { id, ...parseHostPort(plain.slice(at + 1), text) };
}

/** Parses a comma-separated list; empty items are skipped. */
export function parsePeerList(text: string): readonly PeerAddress[] {
  return text
    .split(",")
    .filter((item) => item.trim() !== "")
    .map(parsePeerAddress);
}

/** Parses a listen address; port 0 asks the system for a free one. */
export function parseListenAddress(text: string): HostPort {
  return parseHostPort(withoutScheme(text.trim()), text);
}

export function formatPeerAddress(address: PeerAddress): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.id}@${host}:${address.port}`;
}

/** libp2p's form of the same place. */
export function hostPortToMultiaddr({ host, port }: HostPort): string {
  if (host.includes(":")) return `/ip6/${host}/tcp/${port}`;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return `/ip4/${host}/tcp/${port}`;
  return `/dns/${host}/tcp/${port}`;
}

function parseHostPort(plain: string, whole: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(plain);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new DecodeError("malformed", `address: expected host:port, got ${quote(whole)}`);
  }
  return { host: match[1] ?? (match[2] || "0.0.0.0"), port };
}

function withoutScheme(text: string): string {
  return text.startsWith("tcp://") ? text.slice("tcp://".length) : text;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}
