/** Calls that threads of the native module make, and the promises of their results. */

import { failed } from "./errors.js";
import { type NativeCalls, native } from "./native.js";

interface Waiting {
  settle(outcome: Outcome): void;
}

interface Outcome {
  failure: string | null;
  text: string | null;
}

const waiting = new Map<number, Waiting>();
let last = 0;

/** Keeps the process alive while a call waits. The native module itself does not. */
let alive: NodeJS.Timeout | undefined;

const calls: NativeCalls = new native.Calls((call, failure, text) => {
  finish(call)?.settle({ failure, text });
});

function finish(call: number): Waiting | undefined {
  const found = waiting.get(call);
  waiting.delete(call);
  if (waiting.size === 0) {
    clearInterval(alive);
    alive = undefined;
  }
  return found;
}

/**
 * Starts a call and returns the text of its answer.
 *
 * @throws the reason of the signal, if it is aborted first. A call that a thread has begun ends in the
 *   background then, and can have its effect.
 */
export async function call(
  start: (calls: NativeCalls, call: number) => void,
  signal?: AbortSignal | null,
): Promise<string | null> {
  signal?.throwIfAborted();
  const number = next();
  const { failure, text } = await new Promise<Outcome>((resolve, reject) => {
    const abort = () => {
      finish(number);
      calls.cancel(number);
      reject((signal as AbortSignal).reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    waiting.set(number, {
      settle(outcome) {
        signal?.removeEventListener("abort", abort);
        resolve(outcome);
      },
    });
    alive ??= setInterval(() => {}, 0x7fff_ffff);
    try {
      start(calls, number);
    } catch (error) {
      finish(number);
      throw error;
    }
  });
  // Here, so that its stack has the callers.
  if (failure !== null && failure !== undefined) throw failed(failure);
  return text ?? null;
}

function next(): number {
  do {
    last = (last + 1) >>> 0;
  } while (waiting.has(last));
  return last;
}
