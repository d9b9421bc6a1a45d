/** Headers of a request. */

type Named = Record<string, string | string[] | undefined>;

/** A request, of Node or of the Fetch API. */
export type RequestLike = {
  headers:
    | Named
    | {
        /** Returns the value of a header. */
        get(name: string): string | null;
      };
  /** Names and values in turn, as Node has them. */
  rawHeaders?: readonly string[];
};

/** The value of a header, or of several of the name, joined (RFC 9110 §5.3). */
export function headerOf(request: RequestLike, name: string, separator = ", "): string | undefined {
  const { headers, rawHeaders } = request;
  const wanted = name.toLowerCase();
  if (typeof (headers as Headers).get === "function") {
    return (headers as Headers).get(wanted) ?? undefined;
  }
  // Of several values Node keeps the first one alone of some headers, `Authorization` among them.
  const raw = rawHeaders === undefined ? [] : valuesIn(rawHeaders, wanted);
  const values = raw.length > 1 ? raw : valuesOf(headers as Named, wanted);
  return values.length === 0 ? undefined : values.join(separator);
}

function valuesIn(raw: readonly string[], wanted: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    if (name.length === wanted.length && name.toLowerCase() === wanted) {
      values.push(raw[index + 1] as string);
    }
  }
  return values;
}

function valuesOf(headers: Named, wanted: string): string[] {
  const values: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name.toLowerCase() === wanted) values.push(...[value].flat());
  }
  return values;
}
