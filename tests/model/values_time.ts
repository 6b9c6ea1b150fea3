// Time that only goes on when it is told to. Microtasks are the real ones.
const EPOCH = 1_700_000_000_000;
const HIDDEN_DELAY = 1_000; // ms; timers of a hidden page fire no more often
const immediate = setImmediate;

interface Timer {
  at: number;
  run(): void;
}

/** The task is over, and so are all its microtasks. */
export const settle = (): Promise<void> => new Promise((resolve) => immediate(resolve));

let now = EPOCH;
let last = 0;
let timers = new Map<number, Timer>();

export const clock = {
  forget: (): unknown => (timers = new Map()),

  /** Let time go on; each timer that is due is a task. */
  async advance(ms: number): Promise<void> {
    const end = now + ms;
    for (;;) {
      const [next] = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      now = Math.max(now, next[1].at);
      timers.delete(next[0]);
      next[1].run();
      await settle();
    }
    now = end;
  },
};

/** `isHidden`: is the page hidden now? */
export function stubClock(isHidden: () => boolean): void {
  const set = (run: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): number => {
    timers.set(++last, { at: now + Math.max(ms, isHidden() ? HIDDEN_DELAY : 0), run: () => run(...given) });
    return last;
  };
  Object.assign(globalThis, { setTimeout: set, clearTimeout: (id: number) => timers.delete(id) });
  Date.now = () => now;
}

/** Do it now, or so many ms later. */
export const later = (ms: number, run: () => void): unknown => (ms ? setTimeout(run, ms) : run());
