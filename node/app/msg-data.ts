/** `cosmos.base.abci.v1beta1.TxMsgData`: what a successful transaction answers, one Any per message. */
import { allocate } from "@keel/proto/bytes/allocate";
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
  let length = 0;
  for (const { typeUrl, value } of responses) {
    const size = anySize(urlBytes(typeUrl), value);
    length += 1 + varintSize(size) + size;
  }
  const out = allocate(length);
  let at = 0;
  for (const { typeUrl, value } of responses) {
    const url = urlBytes(typeUrl);
    out[at] = 0x12;
    at = putVarint(out, at + 1, anySize(url, value));
    at = putBytes(out, at, 0x0a, url);
    if (value.length > 0) at = putBytes(out, at, 0x12, value);
  }
  return out;
}

function putVarint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  return at;
}

function putBytes(out: Uint8Array, start: number, tag: number, bytes: Uint8Array): number {
  out[start] = tag;
  const at = putVarint(out, start + 1, bytes.length);
  out.set(bytes, at);
  return at + bytes.length;
}
