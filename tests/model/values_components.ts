// Components that change by themselves, as far as a page sees it.
import { later } from "./values_time";

export type Report = Record<string, any>;

/** `drawn` is called with the properties of now and of before when React draws them; `report` is its `setProps`. */
export interface Behaviour {
  drawn(props: Report, before: Report | undefined, report: (values: Report) => void): void;
}

const LONGEST_REPAIR = 20; // ms

export function behaviours(random: () => number, closeAfter: number): Record<string, Behaviour> {
  let port: Report = {};
  let alarm: Report = {};
  const isUnfit = ({ options, value }: Report): boolean => value != null && !options.includes(value);
  return {
    /** A Dropdown: a value that is not among its options goes, at once or a moment later. */
    port: {
      drawn(props, _, report) {
        port = props;
        if (!isUnfit(props)) return;
        const delay = Math.floor(random() * 2) && Math.ceil(random() * LONGEST_REPAIR);
        later(delay, () => isUnfit(port) && report({ value: null }));
      },
    },

    /** It says its own value when it appears, at once or a moment later. */
    starter: {
      drawn(_, before, report) {
        if (!before) later(Math.floor(random() * 2) && Math.ceil(random() * LONGEST_REPAIR), () => report({ value: "start" }));
      },
    },

    /** It closes itself some time after it was opened. */
    alarm: {
      drawn(props, before, report) {
        alarm = props;
        if (props["open"] && !before?.["open"]) setTimeout(() => alarm["open"] && report({ open: false }), closeAfter);
      },
    },
  };
}
