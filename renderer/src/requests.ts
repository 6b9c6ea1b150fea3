// HTTP exchanges of Dash's renderer, carried over the line.
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
interface Waiting {
  frame: string;
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

/** Requests without a reply. They survive the line: on the next one they are sent again. */
export function createRequests(send: (frame: string) => void) {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  return {
    /** Send a request and keep it. `body` is JSON text already: it is put into the frame as it is. */
    request(route: string, query: string, body: string): Promise<LightResponse> {
      const ref = ++last;
      const head = stringify({ type: "request", ref, route, query });
      const frame = `${head.slice(0, -1)},"body":${body}}`;
      return new Promise((succeed, fail) => {
        waiting.set(ref, { frame, succeed, fail });
        send(frame);
      });
    },

    /** Frames of all requests without a reply, in order. */
    frames: (): string[] => [...waiting.values()].map(({ frame }) => frame),

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
