// Sees what changes in the page, and tells changes by somebody from what mounting does.
import type { Changed, Renderer } from "./dash";
import { idText, keyOf } from "./ids";
import { Taints, Unsettled } from "./mounts";
import type { Triple, Watch } from "./protocol";
import { equal, holdsComponents } from "./values";
import { type Watched, WatchList } from "./watchlist";
import type { Writer } from "./writer";

/** What a page has to say. */
export interface Reports {
  /** The layout is in the store: from now on it can be written to. */
  hydrated(): void;
  change(values: Triple[], state: Triple[]): void;
  mount(values: Triple[]): void;
}

const MOUNT_LIMIT = 10_000; // components in one message
const INTERACTIONS = ["pointerdown", "keydown", "wheel", "touchstart", "click", "input", "change", "paste", "drop"];

export class Watcher {
  private list_ = new WatchList();
  private unsettled_ = new Unsettled((id) => this.dash_.touchable(id));
  private taints_ = new Taints();
  private present_ = new Set<string>();
  private replaced_: string[] = [];
  private hydrated_ = false;
  private changed_: Changed | undefined;
  private paths_: object | undefined;
  private layout_: object | undefined;

  constructor(private dash_: Renderer, private writer_: Writer, private reports_: Reports) {}

  /** Begin to listen, to the store and to the people. */
  start(): void {
    const interact = () => this.unsettled_.size && this.unsettled_.interact();
    for (const name of INTERACTIONS) document.addEventListener(name, interact, { capture: true, passive: true });
    for (const name of ["popstate", "hashchange"]) window.addEventListener(name, interact, { capture: true });
    this.dash_.attach(() => this.guarded_());
  }

  /** Replace the list of what is watched. */
  watch(list: Watch[]): void {
    this.list_ = new WatchList(list);
    if (!this.hydrated_) return;
    const before = this.present_;
    this.present_ = this.watchedIds_();
    for (const id of this.present_) if (!before.has(id)) this.unsettled_.add(id);
  }

  /** The values of some properties; nothing for a component that is not in the page. */
  read(id: string, properties: string[]): Record<string, unknown> {
    const component = this.dash_.hydrated ? this.dash_.component(id) : undefined;
    return component ? Object.fromEntries(properties.map((name) => [name, component.props[name] ?? null])) : {};
  }

  /** An error here must not break the renderer's dispatch. */
  private guarded_(): void {
    try {
      this.notice_();
    } catch (error) {
      console.error("dash_devices: a change of this page was not reported", error);
    }
  }

  private notice_(): void {
    if (!this.dash_.hydrated) return void (this.hydrated_ = false);
    if (!this.hydrated_) return this.begin_();
    const { changed, paths } = this.dash_;
    if (changed !== this.changed_) this.noticeChange_((this.changed_ = changed));
    if (paths !== this.paths_) this.noticePaths_(paths);
    this.layout_ = this.dash_.layout;
    this.writer_.settle();
  }

  private begin_(): void {
    this.hydrated_ = true;
    this.changed_ = this.dash_.changed;
    this.paths_ = this.dash_.paths;
    this.layout_ = this.dash_.layout;
    this.taints_.clear();
    this.unsettled_.clear();
    this.present_ = this.watchedIds_();
    for (const id of this.present_) this.unsettled_.add(id);
    this.reports_.hydrated();
  }

  private noticeChange_({ id, props }: Changed): void {
    const text = id ? idText(id) : "";
    const path = this.dash_.pathOf(text);
    if (!path) return;
    const author = this.writer_.writing ? "" : this.dash_.author(path);
    const initial = author === "callback" && this.isInitial_(text, Object.keys(props)[0] ?? "");
    for (const [property, value] of Object.entries(props)) {
      this.taints_.set(keyOf(text, property), initial);
      if (holdsComponents(property, value)) this.replaced_.push([...path, "props", property, ""].join(","));
    }
    const watched = author === "" ? undefined : this.list_.of(text);
    if (watched) this.report_(text, watched, Object.entries(props), author === "internal" ? undefined : initial);
  }

  private isInitial_(id: string, property: string): boolean {
    const runs = this.dash_.runs(id, property);
    return runs.length > 0 && runs.every((run) => this.taints_.initial(run));
  }

  /** `initial` is undefined when the component itself says so: then it depends on whether it is settled. */
  private report_(id: string, watched: Watched, props: [string, any][], initial: boolean | undefined): void {
    const old = this.dash_.component(id, this.layout_)?.props;
    const changed = props.filter(([property, value]) => watched.has(property) && !equal(old?.[property], value));
    if (!changed.length) return;
    const values = changed.map(([property, value]): Triple => [id, property, value]);
    if (initial ?? this.unsettled_.report(id, !document.getElementById(id))) this.reports_.mount(values);
    else this.reports_.change(values, this.state_(watched, values));
  }

  private state_(watched: Watched, values: Triple[]): Triple[] {
    const state = new Map<string, Triple>();
    for (const [pattern, property] of values.flatMap(([, name]) => watched.get(name)!)) {
      for (const id of this.dash_.matching(pattern)) {
        state.set(keyOf(id, property), [id, property, this.dash_.component(id)?.props[property] ?? null]);
      }
    }
    return [...state.values()];
  }

  private noticePaths_(paths: object): void {
    this.paths_ = paths;
    if (this.writer_.plain) return;
    const now = this.watchedIds_();
    const appeared = [...now].filter((id) => !this.present_.has(id) || this.isReplaced_(id));
    for (const id of this.present_) if (!now.has(id)) this.unsettled_.delete(id);
    this.present_ = now;
    this.replaced_ = [];
    this.writer_.appeared();
    if (appeared.length) this.announce_(appeared);
  }

  private announce_(ids: string[]): void {
    for (const id of ids) this.unsettled_.add(id);
    const values = ids.slice(0, MOUNT_LIMIT).flatMap((id) => {
      const props = this.dash_.component(id)?.props ?? {};
      return [...this.list_.of(id)!.keys()].map((property): Triple => [id, property, props[property] ?? null]);
    });
    this.reports_.mount(values);
  }

  private isReplaced_(id: string): boolean {
    if (!this.replaced_.length) return false;
    const place = this.dash_.pathOf(id)!.join(",");
    return this.replaced_.some((prefix) => place.startsWith(prefix));
  }

  /** Watched components that are in the page. */
  private watchedIds_(): Set<string> {
    const ids = new Set([...this.list_.literals].filter((id) => this.dash_.pathOf(id)));
    for (const names of this.list_.patternNames) {
      for (const id of this.dash_.named(names).keys()) if (this.list_.of(id)) ids.add(id);
    }
    return ids;
  }
}
