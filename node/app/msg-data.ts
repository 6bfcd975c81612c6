/** `cosmos.base.abci.v1beta1.TxMsgData`: what a successful transaction answers, one Any per message. */
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

export interface MsgResponse {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** Type URLs are few and always the same. */
const encodedUrls = new Map<string, Uint8Array>();

function urlBytes(typeUrl: string): Uint8Array {
  let bytes = encodedUrls.get(typeUrl);
  if (bytes === undefined) encodedUrls.set(typeUrl, (bytes = utf8ToBytes(typeUrl)));
  return bytes;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function anySize(url: Uint8Array, value: Uint8Array): number {
  const valueSize = value.length === 0 ? 0 : 1 + varintSize(value.length) + value.length;
  return 1 + varintSize(url.length) + url.length + valueSize;
}

/** Written by hand, since it is done for every transaction: `msg_responses` is field 2, each `Any{type_url = 1, value = 2}`. */
export function encodeTxMsgData(responses: readonly MsgResponse[]): Uint8Array {
  const parts = responses.map(({ typeUrl, value }) => {
    const url = urlBytes(typeUrl);
    return { url, value, size: anySize(url, value) };
  });
  const out = new Uint8Array(parts.reduce((sum, { size }) => sum + 1 + varintSize(size) + size, 0));
  let at = 0;
  const varint = (value: number): void => {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
    out[at++] = rest;
  };
  const bytes = (tag: number, value: Uint8Array): void => {
    out[at++] = tag;
    varint(value.length);
    out.set(value, at);
    at += value.length;
  };
  for (const { url, value, size } of parts) {
    out[at++] = 0x12;
    varint(size);
    bytes(0x0a, url);
    if (value.length > 0) bytes(0x12, value);
  }
  return out;
}
