// HTTP exchanges of Dash's renderer, carried over the line.
import type { Reply } from "./protocol";

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
  resolve(response: LightResponse): void;
  reject(error: Error): void;
}

/** The response that a reply stands for. */
export function lightResponse({ status, headers, body }: Reply): LightResponse {
  const fields = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const isText = typeof body === "string" && !/json/.test(fields.get("content-type") ?? "");
  const response: LightResponse = {
    ok: status >= 200 && status < 300,
    status,
    statusText: "",
    headers: { get: (name) => fields.get(name.toLowerCase()) ?? null },
    json: async () => (isText ? JSON.parse(body) : body),
    text: async () => (isText ? body : JSON.stringify(body)),
    clone: () => response,
  };
  return response;
}

/** Requests without a reply. They survive the line: after a new start they are sent again. */
export class Requests {
  private ref_ = 0;
  private waiting_ = new Map<number, Waiting>();

  /** Keep a request and send it. `body` is JSON text already: it is put into the frame as it is. */
  ask(route: string, query: string, body: string, send: (frame: string) => void): Promise<LightResponse> {
    const ref = ++this.ref_;
    const head = JSON.stringify({ type: "request", ref, route, query });
    const frame = `${head.slice(0, -1)},"body":${body}}`;
    return new Promise((resolve, reject) => {
      this.waiting_.set(ref, { frame, resolve, reject });
      send(frame);
    });
  }

  /** Frames of all requests without a reply, in order. */
  frames(): string[] {
    return [...this.waiting_.values()].map(({ frame }) => frame);
  }

  /** Hand a reply over. A reply nobody waits for came twice, after a resend. */
  async reply(message: Reply, before: (response: LightResponse) => Promise<unknown> | undefined): Promise<void> {
    const waiting = this.waiting_.get(message.ref);
    this.waiting_.delete(message.ref);
    const response = lightResponse(message);
    const errand = before(response);
    if (errand) await errand;
    waiting?.resolve(response);
  }

  /** There will be no reply any more. */
  fail(reason: string): void {
    for (const { reject } of this.waiting_.values()) reject(new TypeError(reason));
    this.waiting_.clear();
  }
}
