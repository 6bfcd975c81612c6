/**
 * Who follows which events. Each distinct query is parsed once and evaluated once per event, however many follow it; the payload
 * is serialised at most once per query.
 */
import type { CommittedBlock } from "@keel/consensus/host/ports";
import type { Event } from "@keel/consensus/wire/abci";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import type { Query } from "../store/query-grammar.ts";
import { parseQuery, queryMatches } from "../store/query-grammar.ts";
import {
  blockIdJson,
  blockJson,
  eventJson,
  finalizeBlockJson,
  headerJson,
  txResultJson,
} from "./comet-json.ts";
import type { RpcId } from "./json-rpc.ts";
import { internalError } from "./json-rpc.ts";

/** One happening, with its flat attributes ("transfer.recipient" → values) for queries. */
interface Happening {
  readonly type: string;
  readonly value: () => unknown;
  readonly tags: ReadonlyMap<string, readonly string[]>;
}

export interface Subscriber {
  /** Throws RpcError when the query is bad, followed already, or past the limits. */
  subscribe(id: RpcId, query: string): void;
  unsubscribe(query: string): void;
  unsubscribeAll(): void;
  leave(): void;
}

interface Client {
  readonly send: (id: RpcId, payload: string) => void;
  readonly ids: Map<string, RpcId>;
}

interface Topic {
  readonly query: Query;
  readonly clients: Set<Client>;
}

export interface SubscriptionLimits {
  readonly clientsMax: number;
  readonly perClientMax: number;
}

export class SubscriptionHub {
  readonly #topics = new Map<string, Topic>();
  readonly #limits: SubscriptionLimits;
  #subscribedClients = 0;

  constructor(limits: SubscriptionLimits) {
    this.#limits = limits;
  }

  join(send: (id: RpcId, payload: string) => void): Subscriber {
    const client: Client = { send, ids: new Map() };
    const drop = (query: string): void => {
      const topic = this.#topics.get(query);
      topic?.clients.delete(client);
      if (topic?.clients.size === 0) this.#topics.delete(query);
      client.ids.delete(query);
      if (client.ids.size === 0) this.#subscribedClients--;
    };
    const unsubscribeAll = (): void => {
      for (const query of [...client.ids.keys()]) drop(query);
    };
    return {
      subscribe: (id, text) => {
        if (client.ids.has(text)) throw internalError("already subscribed");
        if (client.ids.size >= this.#limits.perClientMax) {
          throw internalError(`max_subscriptions_per_client ${this.#limits.perClientMax} reached`);
        }
        if (client.ids.size === 0 && this.#subscribedClients >= this.#limits.clientsMax) {
          throw internalError(`max_subscription_clients ${this.#limits.clientsMax} reached`);
        }
        const topic = this.#topics.get(text) ?? { query: parse(text), clients: new Set<Client>() };
        this.#topics.set(text, topic);
        topic.clients.add(client);
        if (client.ids.size === 0) this.#subscribedClients++;
        client.ids.set(text, id);
      },
      unsubscribe: (text) => {
        if (!client.ids.has(text)) throw internalError("subscription not found");
        drop(text);
      },
      unsubscribeAll,
      leave: unsubscribeAll,
    };
  }

  publish(committed: CommittedBlock): void {
    if (this.#topics.size === 0) return;
    for (const happening of happenings(committed)) this.#deliver(happening);
  }

  #deliver(happening: Happening): void {
    let value: string | undefined;
    let events: string | undefined;
    for (const [text, { query, clients }] of this.#topics) {
      if (!queryMatches(query, happening.tags)) continue;
      value ??= JSON.stringify({ type: happening.type, value: happening.value() });
      events ??= JSON.stringify(Object.fromEntries(happening.tags));
      const payload = `{"query":${JSON.stringify(text)},"data":${value},"events":${events}}`;
      for (const client of clients) client.send(client.ids.get(text) as RpcId, payload);
    }
  }
}

function parse(text: string): Query {
  try {
    return parseQuery(text);
  } catch (error) {
    throw internalError(`failed to parse query: ${(error as Error).message}`);
  }
}

function flatten(
  kind: string,
  events: readonly Event[],
  more: Readonly<Record<string, string>>,
): Map<string, string[]> {
  const tags = new Map<string, string[]>([["tm.event", [kind]]]);
  for (const [tag, value] of Object.entries(more)) tags.set(tag, [value]);
  for (const event of events) {
    for (const { key, value, index } of event.attributes) {
      if (!index) continue;
      const tag = `${event.type}.${key}`;
      const values = tags.get(tag);
      if (values === undefined) tags.set(tag, [value]);
      else values.push(value);
    }
  }
  return tags;
}

function* happenings({ block, blockId, result }: CommittedBlock): Generator<Happening> {
  const height = block.header.height.toString();
  yield {
    type: "tendermint/event/NewBlock",
    tags: flatten("NewBlock", result.events, {}),
    value: () => ({
      block: blockJson(block),
      block_id: blockIdJson(blockId),
      result_finalize_block: finalizeBlockJson(result),
    }),
  };
  yield {
    type: "tendermint/event/NewBlockHeader",
    tags: flatten("NewBlockHeader", [], {}),
    value: () => ({ header: headerJson(block.header) }),
  };
  yield {
    type: "tendermint/event/NewBlockEvents",
    tags: flatten("NewBlockEvents", result.events, {}),
    value: () => ({
      height,
      events: result.events.map(eventJson),
      num_txs: block.txs.length.toString(),
    }),
  };
  for (const [index, tx] of block.txs.entries()) {
    const txResult = result.txResults[index];
    if (txResult === undefined) continue;
    yield {
      type: "tendermint/event/Tx",
      tags: flatten("Tx", txResult.events, {
        "tx.hash": bytesToHex(sha256(tx)),
        "tx.height": height,
      }),
      value: () => ({
        TxResult: {
          height,
          ...(index === 0 ? {} : { index }),
          tx: bytesToBase64(tx),
          result: txResultJson(txResult),
        },
      }),
    };
  }
  if (result.validatorUpdates.length > 0) {
    yield {
      type: "tendermint/event/ValidatorSetUpdates",
      tags: flatten("ValidatorSetUpdates", [], {}),
      value: () => ({
        validator_updates: result.validatorUpdates.map((update) => ({
          pub_key: { type: "tendermint/PubKeyEd25519", value: bytesToBase64(update.pubKey) },
          voting_power: update.power.toString(),
        })),
      }),
    };
  }
}
