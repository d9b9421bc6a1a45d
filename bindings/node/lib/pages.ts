import { ToriiApiError } from "./errors.js";
import type { ToriiPage, ToriiPagePromise } from "./types.js";

/** A page as the API sends it. */
interface Envelope<T> {
  items: T[];
  nextCursor?: string | null;
  hasMore: boolean;
}

class Page<T> implements ToriiPage<T> {
  items: T[];
  nextCursor?: string | null;
  hasMore: boolean;
  readonly #fetch: (cursor: string) => Promise<Page<T>>;

  constructor(envelope: Envelope<T>, fetch: (cursor: string) => Promise<Page<T>>) {
    this.items = envelope.items;
    this.nextCursor = envelope.nextCursor;
    this.hasMore = envelope.hasMore;
    this.#fetch = fetch;
  }

  async nextPage(): Promise<Page<T> | null> {
    return this.hasMore && typeof this.nextCursor === "string"
      ? this.#fetch(this.nextCursor)
      : null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    // A cursor that repeats would never end.
    const seen = new Set<string>();
    let page: Page<T> | null = this;
    while (page !== null) {
      yield* page.items;
      const { nextCursor, hasMore } = page as Page<T>;
      if (hasMore && typeof nextCursor !== "string") {
        throw unusable("there is more, but no `nextCursor`");
      }
      if (hasMore && seen.has(nextCursor as string)) throw unusable("`nextCursor` repeats");
      seen.add(nextCursor as string);
      page = await (page as Page<T>).nextPage();
    }
  }
}

function unusable(why: string): ToriiApiError {
  const error = new ToriiApiError(`the page: ${why}`, 0);
  Object.defineProperty(error, "reason", { value: "TORII_ERR_RESPONSE", enumerable: true });
  return error;
}

/** Fetches a page, and further ones on demand. */
export function pages<T>(
  cursor: string | undefined,
  fetch: (cursor: string | undefined) => Promise<Envelope<T>>,
): ToriiPagePromise<T> {
  const from = async (cursor: string | undefined): Promise<Page<T>> => {
    const envelope = await fetch(cursor);
    if (!Array.isArray(envelope?.items) || typeof envelope.hasMore !== "boolean") {
      throw unusable("no list of `items`, or no `hasMore`");
    }
    return new Page(envelope, from);
  };
  const first = from(cursor);
  return Object.assign(first, {
    async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
      yield* await first;
    },
  });
}
