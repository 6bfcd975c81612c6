/**
 * Sequence numbers of one account, handed out locally so that many transactions can be in flight. Sequenced transactions reach the
 * node one after another (it refuses gaps); nobody waits for a block.
 */
import { KeelConnectionError } from "./errors.ts";
import type { AccountNumbers } from "./keel-client.ts";

export class SequenceKeeper {
  readonly #read: () => Promise<AccountNumbers | null>;
  readonly #address: string;
  #numbers: AccountNumbers | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(address: string, read: () => Promise<AccountNumbers | null>) {
    this.#address = address;
    this.#read = read;
  }

  /** Account number, which never changes; asked once. */
  async accountNumber(): Promise<number> {
    return (await this.#known()).accountNumber;
  }

  /**
   * Runs `send` with the next sequence, after all earlier ones have been sent. It says what the next sequence is afterwards: one
   * more when the node took it, the same when it refused, null when that is unknown and must be read from the chain.
   */
  async inOrder<T>(
    send: (numbers: AccountNumbers) => Promise<{ readonly next: number | null; readonly value: T }>,
  ): Promise<T> {
    const turn = this.#queue.then(async () => {
      const numbers = await this.#known();
      try {
        const { next, value } = await send(numbers);
        this.#numbers =
          next === null ? null : { accountNumber: numbers.accountNumber, sequence: next };
        return value;
      } catch (error) {
        this.#numbers = null;
        throw error;
      }
    });
    this.#queue = turn.catch(() => {});
    return await turn;
  }

  /** Forget what was counted: the chain is asked before the next transaction. */
  reset(): void {
    this.#numbers = null;
  }

  async #known(): Promise<AccountNumbers> {
    this.#numbers ??= await this.#read();
    if (this.#numbers === null)
      throw new KeelConnectionError(
        "bad-answer",
        `the chain does not know ${this.#address} yet: send it some coins first`,
      );
    return this.#numbers;
  }
}
