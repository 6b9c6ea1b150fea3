// What a tab remembers over a reload: who it is. A browser may forbid it, then it is someone new each time.

export interface Identity {
  tab: string | undefined;
  token: string | undefined;
}

function guarded<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    console.debug("dash_devices: the browser keeps nothing for this tab", error);
    return undefined;
  }
}

/** A random name that also works on plain http, where `crypto.randomUUID` is missing. */
export function randomName(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("");
}

/** One place per app: two apps may share a host. */
export class Memory {
  private key_: string;

  constructor(prefix: string) {
    this.key_ = `dash_devices:${prefix}`;
  }

  identity(): Identity {
    const text = guarded(() => sessionStorage.getItem(this.key_));
    return text ? (JSON.parse(text) as Identity) : { tab: undefined, token: undefined };
  }

  keep(identity: Identity): void {
    guarded(() => sessionStorage.setItem(this.key_, JSON.stringify(identity)));
  }

  /** Load the page again, once for each reason. Where nothing can be kept, never: it could go on for ever. */
  reloadOnce(reason: string): boolean {
    const key = `${this.key_}:reload`;
    if (guarded(() => sessionStorage.getItem(key)) === reason) return false;
    guarded(() => sessionStorage.setItem(key, reason));
    if (guarded(() => sessionStorage.getItem(key)) !== reason) return false;
    location.reload();
    return true;
  }
}
