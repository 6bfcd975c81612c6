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

/** What `tm.event` says of a happening. */
type Kind = "NewBlock" | "NewBlockHeader" | "NewBlockEvents" | "Tx" | "ValidatorSetUpdates";

/** One happening, with its flat attributes ("transfer.recipient" → values) for queries. Both are made when someone asks. */
interface Happening {
  readonly kind: Kind;
  readonly value: () => unknown;
  readonly tags: () => ReadonlyMap<string, readonly string[]>;
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
  /** The only kind of happening that can meet the query; null when it does not say. */
  readonly kind: string | null;
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
        const topic = this.#topics.get(text) ?? topicOf(text);
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
    for (const happening of happeningsOfBlock(committed)) this.#deliver(happening);
    // There are thousands of these, and whoever follows blocks asks for none of them.
    if (this.#isFollowed("Tx"))
      for (const happening of happeningsOfTxs(committed)) this.#deliver(happening);
    for (const happening of happeningsOfValidators(committed)) this.#deliver(happening);
  }

  #isFollowed(kind: Kind): boolean {
    for (const topic of this.#topics.values()) if (mayConcern(topic, kind)) return true;
    return false;
  }

  #deliver(happening: Happening): void {
    const { kind } = happening;
    let tags: ReadonlyMap<string, readonly string[]> | undefined;
    let value: string | undefined;
    let events: string | undefined;
    for (const [text, topic] of this.#topics) {
      if (!mayConcern(topic, kind)) continue;
      tags ??= happening.tags();
      if (!queryMatches(topic.query, tags)) continue;
      value ??= JSON.stringify({ type: `tendermint/event/${kind}`, value: happening.value() });
      events ??= JSON.stringify(Object.fromEntries(tags));
      const payload = `{"query":${JSON.stringify(text)},"data":${value},"events":${events}}`;
      for (const client of topic.clients) client.send(client.ids.get(text) as RpcId, payload);
    }
  }
}

function topicOf(text: string): Topic {
  const query = parse(text);
  const kinds = query.conditions.flatMap(({ tag, operator, operand }) =>
    tag === "tm.event" && operator === "=" && operand?.kind === "string" ? [operand.text] : [],
  );
  return { query, kind: kinds[0] ?? null, clients: new Set() };
}

function mayConcern(topic: Topic, kind: Kind): boolean {
  return topic.kind === null || topic.kind === kind;
}

function parse(text: string): Query {
  try {
    return parseQuery(text);
  } catch (error) {
    throw internalError(`failed to parse query: ${(error as Error).message}`);
  }
}

function flatten(
  kind: Kind,
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

function* happeningsOfBlock({ block, blockId, result }: CommittedBlock): Generator<Happening> {
  yield {
    kind: "NewBlock",
    tags: () => flatten("NewBlock", result.events, {}),
    value: () => ({
      block: blockJson(block),
      block_id: blockIdJson(blockId),
      result_finalize_block: finalizeBlockJson(result),
    }),
  };
  yield {
    kind: "NewBlockHeader",
    tags: () => flatten("NewBlockHeader", [], {}),
    value: () => ({ header: headerJson(block.header) }),
  };
  yield {
    kind: "NewBlockEvents",
    tags: () => flatten("NewBlockEvents", result.events, {}),
    value: () => ({
      height: block.header.height.toString(),
      events: result.events.map(eventJson),
      num_txs: block.txs.length.toString(),
    }),
  };
}

function* happeningsOfTxs({ block, result }: CommittedBlock): Generator<Happening> {
  const height = block.header.height.toString();
  for (const [index, tx] of block.txs.entries()) {
    const txResult = result.txResults[index];
    if (txResult === undefined) continue;
    yield {
      kind: "Tx",
      tags: () =>
        flatten("Tx", txResult.events, {
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
}

function* happeningsOfValidators({ result }: CommittedBlock): Generator<Happening> {
  if (result.validatorUpdates.length === 0) return;
  yield {
    kind: "ValidatorSetUpdates",
    tags: () => flatten("ValidatorSetUpdates", [], {}),
    value: () => ({
      validator_updates: result.validatorUpdates.map((update) => ({
        pub_key: { type: "tendermint/PubKeyEd25519", value: bytesToBase64(update.pubKey) },
        voting_power: update.power.toString(),
      })),
    }),
  };
}
