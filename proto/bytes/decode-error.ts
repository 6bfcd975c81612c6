/** The one error every strict decoder throws for bad input; anything else escaping a decoder is a bug. */

export type DecodeErrorCode =
  /** Bytes or text not of the expected shape. */
  | "malformed"
  /** Readable, but not the one canonical way of writing this value. */
  | "not-canonical"
  /** Ended before the value was complete. */
  | "truncated"
  /** Above a stated limit. */
  | "too-large"
  /** A number outside the range of its type. */
  | "out-of-range"
  /** A protobuf field that the message does not have. */
  | "unknown-field"
  /** Decoded, but breaks a rule the value must satisfy by itself. */
  | "invalid";

/** Refusal of input from outside. `code` is stable; the message says expected and got. */
export class DecodeError extends Error {
  readonly code: DecodeErrorCode;

  constructor(code: DecodeErrorCode, message: string) {
    super(message);
    this.name = "DecodeError";
    this.code = code;
  }
}
