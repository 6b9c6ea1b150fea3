// What somebody has typed and not entered yet lives over a reload.
import type { Renderer } from "./dash";
import { elementOf } from "./element";
import { LOOK_TIME, LOOKS } from "./limits";
import { stored } from "./stored";
import { parse, stringify } from "./values";

type Field = HTMLInputElement | HTMLTextAreaElement;
/** `text`: what is typed, false where that is the component's value. `start`: null where there is no caret to put back. */
type Typed = [id: string, text: string | false, isActive: boolean, start: number | null, end: number | null];

// No passwords: they would lie in the storage.
const FIELDS = "input:not([type=password]),textarea";

export function createTyped(key: string, dash: Renderer) {
  /** What is typed in a field, if it is not in the store. */
  function typedIn({ id, value }: Field): string | false {
    const found = dash.component(id);
    return !!found && `${found.props["value"] ?? ""}` !== value && value;
  }

  function putBack(all: Typed[], looks: number): void {
    const missing = all.filter(([id, text, isActive, start, end]) => {
      const field = elementOf(id) as Field | null;
      if (!field) return true;
      // Not over what was typed meanwhile. The caret comes with the next look: React moves it when it draws the text.
      if (text !== false && text !== field.value && typedIn(field) === false) return enter(field, text);
      if (isActive && !document.querySelector(":focus")) {
        field.focus();
        if (start !== null) field.setSelectionRange(start, end);
      }
      return false;
    });
    if (missing.length && looks) setTimeout(putBack, LOOK_TIME, missing, looks - 1);
  }

  return {
    /** Before a reload. */
    keep(): void {
      const all = [...document.querySelectorAll<Field>(FIELDS)].map((field): Typed => {
        const { id, selectionStart, selectionEnd } = field;
        return [id, typedIn(field), field === document.activeElement, selectionStart, selectionEnd];
      });
      stored(key, stringify(all.filter(([, text, isActive]) => isActive || text !== false)));
    },

    /** After it, once the layout is there. */
    restore(): void {
      putBack(parse(stored(key) ?? "[]"), LOOKS);
      stored(key, "[]");
    },
  };
}

/** Type a text as somebody would: React hears of it, which setting the property would hide from it. */
function enter(field: Field, text: string): boolean {
  Reflect.set(Object.getPrototypeOf(field), "value", text, field);
  return field.dispatchEvent(new Event("input", { bubbles: true }));
}
