// HTTP exchanges of Dash's renderer, carried over the line.
import { TRIES } from "./limits";
import type { Reply } from "./protocol";
import { parse, stringify } from "./values";

/** As much of a `Response` as Dash's renderer uses. The body was decoded with the frame and is not decoded again. */
export interface LightResponse {
  ok: boolean;
  status: number;
  statusText: string;
  headers: { get(name: string): string | null };
  json(): Promise<any>;
  text(): Promise<string>;
  clone(): LightResponse;
}
/** A frame without an answer that the line has carried. `name`: as the server names it. */
export interface Carried {
  name: string;
  size: number;
  giveUp(reason: string): void;
}
interface Waiting {
  frame: string;
  /** Lines that have carried it and were lost. */
  tries: number;
  isCarried: boolean;
  succeed(response: LightResponse): void;
  fail(error: Error): void;
}

/** The response that a reply stands for. */
export function lightResponse({ status, headers, body }: Reply): LightResponse {
  // The server writes names in lower case.
  const get = (name: string) => headers[name.toLowerCase()] ?? null;
  const isText = typeof body === "string" && !/json/.test(get("content-type")!);
  const response: LightResponse = {
    ok: status < 300,
    status,
    statusText: "",
    headers: { get },
    json: async () => (isText ? parse(body) : body),
    text: async () => (isText ? body : stringify(body)),
    clone: () => response,
  };
  return response;
}

/**
 * Requests without a reply. They survive the line: on the next one they are sent again. `refused`: called for one that is given
 * up before it is sent (again); returns the words for it.
 */
export function createRequests(send: (frame: string) => boolean, mayCarry: (frame: string) => boolean, refused: (reason?: string) => string) {
  const waiting = new Map<number, Waiting>();
  let last = 0;

  /** The page answers itself. */
  function giveUp(ref: number, reason?: string): void {
    const { succeed } = waiting.get(ref)!;
    waiting.delete(ref);
    succeed(lightResponse({ type: "reply", ref, status: 413, headers: { "content-type": "text/plain" }, body: refused(reason) }));
  }

  function carry(asker: Waiting, ref: number): void {
    if (mayCarry(asker.frame)) asker.isCarried = send(asker.frame);
    else giveUp(ref);
  }

  return {
    /** Send a request and keep it. `body` is JSON text already: it is put into the frame as it is. */
    request(route: string, query: string, body: string): Promise<LightResponse> {
      const ref = ++last;
      const head = stringify({ type: "request", ref, route, query });
      const frame = `${head.slice(0, -1)},"body":${body}}`;
      return new Promise((succeed, fail) => {
        const asker = { frame, tries: 0, isCarried: false, succeed, fail };
        waiting.set(ref, asker);
        carry(asker, ref);
      });
    },

    /** Send all requests without a reply, in order. */
    sendAgain: (): void => waiting.forEach(carry),

    /** Requests that this line has carried. */
    carried: (): Carried[] =>
      [...waiting].flatMap(([ref, { frame, isCarried }]) =>
        isCarried ? { name: `request ${ref}:`, size: frame.length, giveUp: (reason: string) => giveUp(ref, reason) } : [],
      ),

    /** The line is lost; `isCounted`: whatever it carried may be why. What the server does not survive is not sent for ever. */
    interrupted(isCounted: boolean): void {
      waiting.forEach((asker, ref) => {
        if (isCounted && asker.isCarried) asker.tries++;
        asker.isCarried = false;
        if (asker.tries < TRIES) return;
        waiting.delete(ref);
        asker.fail(new TypeError(`The connection was lost ${TRIES} times`));
      });
    },

    /** Hand a reply over, after the errand it asks for. A reply nobody waits for came twice, after a resend. */
    async replied(message: Reply, errand: (response: LightResponse) => Promise<unknown> | undefined): Promise<void> {
      const asker = waiting.get(message.ref);
      waiting.delete(message.ref);
      const response = lightResponse(message);
      const doing = asker && errand(response);
      if (doing) await doing;
      asker?.succeed(response);
    },

    /** There will be no reply any more. */
    fail(reason: string): void {
      waiting.forEach(({ fail }) => fail(new TypeError(reason)));
      waiting.clear();
    },
  };
}
