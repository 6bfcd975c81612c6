/** Encoding with a writer that is kept: for small messages, a new one and its first buffer cost more than what is written. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";

interface Generated<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(bytes: Uint8Array): T;
}

/** Taken while it is in use: an encoding that fails half-way never gives it back. */
let spare: BinaryWriter | null = null;

/** The same codec, whose `encode` has finished when it returns. */
export function pooled<T>(codec: Generated<T>): {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
} {
  return {
    encode(message) {
      const writer = spare ?? new BinaryWriter();
      spare = null;
      const bytes = codec.encode(message, writer).finish();
      spare = writer;
      return { finish: () => bytes };
    },
    decode: (bytes) => codec.decode(bytes),
  };
}
