/**
 * Fewer and larger writes than libp2p makes by itself. Every yamux frame would be a noise record of its own, every record two or
 * more writes of the socket (length, ciphertext, tag), and every data frame would be answered by a window update.
 */
import type { ConnectionEncrypter, MessageStream } from "@libp2p/interface";
import { StreamState, YamuxStream } from "@libp2p/yamux/stream";
import { joinedWriteBytesMax, windowUpdateBytes } from "./limits.ts";

/** The part of a message stream that is wrapped; a test drives it with its own. */
export type WritableStream = Pick<MessageStream, "send" | "close" | "abort" | "writableNeedsDrain">;

/** Wraps what makes an encrypter: what is sent within one turn leaves as one record, in one write. */
export function withJoinedWrites<C, E>(
  create: (components: C) => ConnectionEncrypter<E>,
): (components: C) => ConnectionEncrypter<E> {
  return (components) => {
    const encrypter = create(components);
    for (const secure of ["secureInbound", "secureOutbound"] as const) {
      const original = encrypter[secure].bind(encrypter);
      encrypter[secure] = async (raw, options) => {
        sendWhole(raw);
        const secured = await original(raw, options);
        joinWrites(secured.connection);
        return secured;
      };
    }
    return encrypter;
  };
}

/** One write of the socket for each message, however many pieces it has. */
export function sendWhole(stream: WritableStream): void {
  const send = stream.send.bind(stream);
  stream.send = (data) => send(data.subarray());
}

/**
 * Collects what is sent until the current callback is over, or until it is as much as one record holds. Order is kept; after an
 * abort nothing more is sent.
 */
export function joinWrites(stream: WritableStream): void {
  const send = stream.send.bind(stream);
  const close = stream.close.bind(stream);
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  const flush = (): boolean => {
    if (bytes === 0) return !stream.writableNeedsDrain;
    const whole = join(waiting, bytes);
    waiting = [];
    bytes = 0;
    return send(whole);
  };
  stream.send = (data) => {
    if (bytes === 0) queueMicrotask(() => flushOrAbort(stream, flush));
    waiting.push(data.subarray());
    bytes += data.byteLength;
    return bytes >= joinedWriteBytesMax ? flush() : !stream.writableNeedsDrain;
  };
  stream.close = (options) => {
    flushOrAbort(stream, flush);
    return close(options);
  };
}

/** Nobody is there to catch what a closing stream throws at a write. */
function flushOrAbort(stream: WritableStream, flush: () => boolean): void {
  try {
    flush();
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)));
  }
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * Window updates when a good part of the window is used up instead of after every frame. The peer's window never falls below the
 * initial one less that part, so it never waits for an update that is held back.
 */
export function updateWindowSeldom(stream: unknown): void {
  if (!(stream instanceof YamuxStream)) return;
  const handleData = stream.handleData.bind(stream);
  const sendWindowUpdate = stream.sendWindowUpdate.bind(stream);
  let received = 0;
  stream.handleData = (frame) => {
    received += frame.header.length;
    handleData(frame);
  };
  stream.sendWindowUpdate = () => {
    // A paused stream keeps its count, so that resuming makes good for all of it; before it is established updates carry flags.
    if (stream.state === StreamState.Established && received < windowUpdateBytes) return;
    if (stream.state !== StreamState.Paused) received = 0;
    sendWindowUpdate();
  };
}
