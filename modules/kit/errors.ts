/** Expected refusals: a stable (codespace, code), a message that says expected and got, and no change of state. */

export class ModuleError extends Error {
  readonly codespace: string;
  readonly code: number;

  constructor(codespace: string, code: number, message: string) {
    super(message);
    this.name = "ModuleError";
    this.codespace = codespace;
    this.code = code;
  }
}

/** A bug or a broken invariant: never a user's fault. Fails the message, market or process, by where it is caught. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "AssertionError";
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
