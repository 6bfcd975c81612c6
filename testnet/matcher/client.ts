/** Talks to a reference matcher. */
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { Fate } from "./clearer.ts";

export interface Submitted {
  /** Upper-case hex. */
  readonly hash: string;
  readonly matches: readonly { readonly price: string; readonly size: string }[];
  /** Decimal: what rests in the matcher's book. */
  readonly resting: string;
}

export interface DocumentState {
  readonly hash: string;
  readonly resting: string;
  readonly lastTrade: Fate | null;
}

/** Throws Error with the matcher's sentence when it refuses. */
export async function submitDocument(url: string, signed: SignedDocument): Promise<Submitted> {
  const body = bytesToBase64(SignedDocument.encode(signed).finish());
  return (await answerOf(await fetch(`${url}/documents`, { method: "POST", body }))) as Submitted;
}

export async function documentState(url: string, hash: string): Promise<DocumentState> {
  return (await answerOf(await fetch(`${url}/documents/${hash}`))) as DocumentState;
}

async function answerOf(response: Response): Promise<unknown> {
  const answer = (await response.json()) as { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? `status ${response.status}`);
  return answer;
}
