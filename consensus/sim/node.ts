/**
 * A toy host around the production machine: builds opaque blocks, answers checks, signs, gossips with retransmission, and comes
 * back from a crash by replaying its log of inputs. It has no guard against signing twice: should the machine ask, the
 * checkers see it.
 */

import { createMachine } from "../core/machine.ts";
import type {
  Address,
  BlockId,
  CommitCertificate,
  Effect,
  Height,
  Input,
  Machine,
  TimeoutConfig,
} from "../core/types.ts";
import type { Behaviour, Tools } from "./behaviour.ts";
import { type Block, type Chain, contentKey, type Signable } from "./chain.ts";
import type { Checkers } from "./checkers.ts";
import { createHoldings } from "./gossip.ts";
import type { Message, Status } from "./messages.ts";
import type { Network } from "./network.ts";
import type { Random } from "./prng.ts";
import type { World } from "./world.ts";

/** Milliseconds of virtual time; a few round trips of the healed network fit into each. */
const TIMEOUTS: TimeoutConfig = {
  proposeMs: 150,
  proposeDeltaMs: 60,
  prevoteMs: 60,
  prevoteDeltaMs: 40,
  precommitMs: 60,
  precommitDeltaMs: 40,
};
const GOSSIP_INTERVAL_MS = 45;
/** More than a round's worth of the largest cluster, also under spam. */
const LATER_MESSAGES_MAX = 256;

export interface Surroundings {
  readonly world: World;
  readonly random: Random;
  readonly network: Network<Message>;
  readonly chain: Chain;
  readonly checkers: Checkers;
  readonly record: (line: string) => void;
}

export interface Node {
  readonly name: string;
  start(): void;
  deliver(message: Message): void;
  crash(): void;
  restart(): void;
  isUp(): boolean;
}

interface Decided {
  readonly certificate: CommitCertificate;
  readonly block: Block;
}

export function createNode(
  surroundings: Surroundings,
  identity: {
    readonly name: string;
    /** null: a node without a key. */
    readonly address: Address | null;
    readonly index: number;
    readonly peers: readonly number[];
    readonly behaviour: Behaviour;
    readonly honest: boolean;
  },
): Node {
  const { world, random, network, chain, checkers, record } = surroundings;
  const { name, address, index, peers, behaviour, honest } = identity;
  // Survives a crash. The log holds the running height; its tail beyond `flushed` may be lost.
  let log: Input[] = [];
  let flushed = 0;
  const decided = new Map<Height, Decided>();
  const blocks = new Map<BlockId, Block>();
  // Does not survive.
  let machine: Machine | null = null;
  let epoch = 0;
  let holdings = createHoldings(chain);
  let later: Message[] = [];
  let awaited = new Set<BlockId>();

  function after(delayMs: number, action: () => void): void {
    const born = epoch;
    world.after(delayMs, () => {
      if (born === epoch && machine !== null) action();
    });
  }

  const tools: Tools = {
    address: address ?? "",
    peers,
    random,
    sign(content) {
      chain.sign(content);
      if ("vote" in content) checkers.onVote(content.vote);
      else checkers.onProposal(content.proposal);
    },
    send: (to, message) => network.send({ from: index, to }, message),
    feed,
    build(height, valid) {
      const parent = decided.get(height - 1)?.block.id ?? null;
      const block = chain.build({ height, parent, builder: name, valid });
      checkers.onBlock(block);
      blocks.set(block.id, block);
      return block;
    },
    blockOf: (id) => blocks.get(id),
    proposalAt(round) {
      const { height } = view();
      for (const content of holdings.contents()) {
        if (
          "proposal" in content &&
          content.proposal.round === round &&
          content.proposal.height === height
        )
          return content.proposal;
      }
      return undefined;
    },
    view,
    after,
  };

  function view(): ReturnType<Machine["view"]> {
    return (machine ?? createMachine()).view();
  }

  /**
   * The log takes what changed something and may make the machine sign: no dropped inputs, no certificates (peers give those
   * again). It takes it before any effect is performed.
   */
  function feed(input: Input): void {
    if (machine === null) return;
    record(`${world.nowMs()} ${name} ${sayInput(input)}`);
    const effects = machine.handle(input);
    const dropped = effects.length > 0 && effects.every((effect) => effect.type === "dropped");
    if (!dropped && input.type !== "certificate") log.push(input);
    keep(input, effects);
    perform(effects);
  }

  /** What the machine dropped does not count as received: it may come again when it matters. */
  function keep(input: Input, effects: readonly Effect[]): void {
    if (effects.some((effect) => effect.type === "dropped")) return;
    if (input.type === "vote") holdings.add({ vote: input.vote });
    if (input.type === "proposal") holdings.add({ proposal: input.proposal });
  }

  function perform(effects: readonly Effect[]): void {
    if (
      effects.some(
        ({ type }) => type === "signVote" || type === "signProposal" || type === "commit",
      )
    )
      flushed = log.length;
    for (const effect of effects) performOne(effect);
  }

  function performOne(effect: Effect): void {
    switch (effect.type) {
      case "signVote":
        after(random.between(0, 3), () => behaviour.onSignVote(effect.vote, tools));
        return;
      case "signProposal":
        after(random.between(0, 3), () => behaviour.onSignProposal(effect.proposal, tools));
        return;
      case "buildBlock":
        after(random.between(1, 40), () => {
          if (view().height !== effect.height) return;
          const block = tools.build(effect.height, true);
          feed({
            type: "blockBuilt",
            height: effect.height,
            round: effect.round,
            blockId: block.id,
          });
        });
        return;
      case "checkBlock":
        if (blocks.has(effect.blockId)) check(effect.height, effect.blockId);
        else awaited.add(effect.blockId);
        return;
      case "polka":
        if (!blocks.has(effect.blockId)) awaited.add(effect.blockId);
        return;
      case "startTimer":
        after(effect.delayMs, () => feed({ type: "timerFired", timer: effect.timer }));
        return;
      case "commit":
        commit(effect.certificate);
        return;
      case "equivocation":
        if (honest) checkers.onEquivocation(effect.first, effect.second);
        return;
      case "enterRound":
      case "dropped":
        return;
    }
  }

  function check(height: Height, blockId: BlockId): void {
    after(random.between(0, 12), () => {
      const block = blocks.get(blockId);
      if (block === undefined || view().height !== height) return;
      const fits =
        block.height === height && block.parent === (decided.get(height - 1)?.block.id ?? null);
      feed({ type: "blockChecked", height, blockId, valid: block.valid && fits });
    });
  }

  function commit(certificate: CommitCertificate): void {
    const block = blocks.get(certificate.blockId);
    if (block !== undefined && !decided.has(certificate.height)) {
      decided.set(certificate.height, { certificate, block });
      if (honest) checkers.onCommit(name, certificate);
      record(`${world.nowMs()} ${name} decided ${certificate.height} ${certificate.blockId}`);
    }
    after(random.between(2, 25), () => startHeight(certificate.height + 1));
  }

  function startHeight(height: Height): void {
    if (view().height >= height) return;
    log = [];
    flushed = 0;
    awaited = new Set();
    holdings.startHeight(height);
    feed({
      type: "startHeight",
      height,
      validators: chain.setAt(height),
      self: address,
      timeouts: TIMEOUTS,
    });
    flushed = log.length;
    const waiting = later;
    later = [];
    for (const message of waiting) receive(message);
  }

  function receiveBlock(block: Block | null): void {
    if (block === null || blocks.has(block.id)) return;
    blocks.set(block.id, block);
    const { height } = view();
    // Now and then unasked, as a host may that checks whatever arrives.
    if (awaited.delete(block.id) || random.chance(200_000)) check(height, block.id);
  }

  function receiveContent(content: Signable): void {
    if (holdings.has(content)) return;
    const vote = "vote" in content ? chain.verifyVote(content.vote) : null;
    if (vote !== null) feed({ type: "vote", vote });
    const proposal = "proposal" in content ? chain.verifyProposal(content.proposal) : null;
    if (proposal !== null) feed({ type: "proposal", proposal });
  }

  /** As the driver does, messages of the next height wait outside the machine: what it is told goes through the log of its height. */
  function receive(message: Message): void {
    if (messageHeight(message) === view().height + 1) {
      if (later.length < LATER_MESSAGES_MAX) later.push(message);
      return;
    }
    switch (message.type) {
      case "proposal":
        receiveContent({ proposal: message.proposal });
        receiveBlock(message.block);
        return;
      case "vote":
        receiveContent({ vote: message.vote });
        return;
      case "block":
        receiveBlock(message.block);
        return;
      case "status":
        answer(message.status);
        return;
      case "decided": {
        const certificate = decided.has(message.certificate.height)
          ? null
          : chain.verifyCertificate(message.certificate);
        receiveBlock(message.block);
        if (certificate !== null) feed({ type: "certificate", certificate });
        return;
      }
    }
  }

  function answer(status: Status): void {
    if (!behaviour.gossips) return;
    const reply = (message: Message): void =>
      network.send({ from: index, to: status.from }, message);
    const known = decided.get(status.height);
    if (known !== undefined) {
      reply({ type: "decided", ...known });
      return;
    }
    for (const content of holdings.lackedBy(status)) {
      if ("vote" in content) reply({ type: "vote", vote: content.vote });
      else reply({ type: "proposal", proposal: content.proposal, block: null });
    }
    for (const wanted of status.wanted) {
      const block = blocks.get(wanted);
      if (block !== undefined) reply({ type: "block", block });
    }
  }

  function tick(): void {
    world.after(GOSSIP_INTERVAL_MS, tick);
    if (machine === null || peers.length === 0) return;
    behaviour.onTick(tools);
    const { height, round } = view();
    const status: Status = {
      from: index,
      height,
      round,
      ...holdings.claims(height),
      wanted: [...awaited],
    };
    network.send({ from: index, to: random.pick(peers) }, { type: "status", status });
  }

  return {
    name,
    start() {
      machine = createMachine();
      startHeight(1);
      world.after(random.between(0, GOSSIP_INTERVAL_MS), tick);
    },
    deliver(message) {
      if (machine !== null) receive(message);
    },
    crash() {
      record(`${world.nowMs()} ${name} crashes`);
      epoch += 1;
      machine = null;
      log = log.slice(0, random.between(flushed, log.length));
      holdings = createHoldings(chain);
      later = [];
      awaited = new Set();
    },
    restart() {
      if (machine !== null) return;
      record(`${world.nowMs()} ${name} restarts with ${log.length} inputs`);
      const replayed = createMachine();
      machine = replayed;
      const effects = log.flatMap((input) => {
        const caused = replayed.handle(input);
        keep(input, caused);
        return caused;
      });
      flushed = log.length;
      perform(effects);
      // Also when the height was decided by a certificate, which the log does not hold.
      startHeight(decided.size + 1);
    },
    isUp: () => machine !== null,
  };
}

function messageHeight(message: Message): Height | null {
  if (message.type === "vote") return message.vote.height;
  return message.type === "proposal" ? message.proposal.height : null;
}

function sayInput(input: Input): string {
  switch (input.type) {
    case "startHeight":
      return `start ${input.height}`;
    case "proposal":
      return contentKey({ proposal: input.proposal });
    case "vote":
      return contentKey({ vote: input.vote });
    case "certificate":
      return `certificate ${input.certificate.height}/${input.certificate.round}/${input.certificate.blockId}`;
    case "blockBuilt":
      return `built ${input.height}/${input.round}/${input.blockId}`;
    case "blockChecked":
      return `checked ${input.height}/${input.blockId}/${input.valid}`;
    case "timerFired":
      return `timer ${input.timer.height}/${input.timer.round}/${input.timer.step}`;
  }
}
