// Replays histories of the protocol model through the page's real session. One history per line in, its states per line out.
import { createInterface } from "node:readline";
import type { Triple } from "../../renderer/src/protocol";
import { createSession } from "../../renderer/src/session";

interface Event {
  do: string;
  values?: Triple[];
  message?: any;
}

class Replay {
  private session_ = createSession("p", "b", {});
  private shows_: Record<string, number[]> = {};
  private frames_: string[] = [];
  private said_: object[] = [];

  step(event: Event): unknown {
    this.frames_ = [];
    this.said_ = [];
    if (event.do === "take") this.take_(event.message);
    else if (event.do === "down") this.session_.interrupted();
    else if (event.do === "mount") this.show_(event.values!);
    else if (event.do === "change") {
      this.show_(event.values!);
      this.frames_ = this.session_.change(event.values!, [], 0);
    }
    const { epoch, seq } = this.session_.hello(0);
    const sent = this.frames_.map((frame) => JSON.parse(frame).n);
    const { said_: said, shows_: shows } = this;
    return { sent, said, unacked: this.session_.backlog(), epoch: epoch ?? null, seq: seq ?? 0, shows: { ...shows } };
  }

  private take_(message: any): void {
    switch (message.type) {
      case "layout":
        this.session_.begin(message.epoch, message.seq);
        return this.show_(message.values);
      case "welcome":
        this.frames_ = this.session_.resumed(message).frames;
        return;
      case "mods": {
        this.session_.arrived(message);
        const { write, isDue } = this.session_.take(message);
        if (isDue) this.said_.push({ type: "applied", seq: message.seq });
        return this.show_(write);
      }
      case "ping":
        this.said_.push(this.session_.pong(0, message.check));
        return;
      default: {
        const { write, frames } = this.session_.settled(message, message.values);
        this.show_(write);
        this.frames_ = frames;
      }
    }
  }

  private show_(triples: Triple[]): void {
    for (const [id, , value] of triples) {
      this.shows_[id] = Array.isArray(value)
        ? value
        : [...this.shows_[id]!, ...value.operations.map((operation: any) => operation.params.value)];
    }
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const replay = new Replay();
  console.log(JSON.stringify((JSON.parse(line) as Event[]).map((event) => replay.step(event))));
});
