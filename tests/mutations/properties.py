"""Section 2: three kinds of property."""

from __future__ import annotations

from .row import Row

ROWS = [
    Row(
        "2.1",
        "an Input of a shared callback is watched",
        "registry.py",
        "if key in self._literal or key in self._shares:",
        "if key in self._shares:",
        "test_2_1_watched",
    ),
    Row(
        "2.2",
        "an Output is shown, not watched",
        "registry.py",
        "for dep in callback.inputs:\n                found",
        "for dep in (*callback.inputs, *callback.outputs):\n                found",
        "test_2_2_shown",
    ),
    Row(
        "2.3",
        "State is read from the page of the event",
        "engine.py",
        "cause.state[key] if key in cause.state else self.value(key)",
        "self.value(key)",
        "test_2_3_state_is_read_from_the_page_of_the_event",
    ),
    Row(
        "2.3",
        "for the whole chain of that event",
        "registry.py",
        "queue.append(following)",
        "pass",
        "test_2_3_state_is_read_from_the_page_of_the_event",
    ),
    Row(
        "2.3",
        "else the value of the layout",
        "engine.py",
        "return entry.value if entry is not None else self.components.props(key[0]).get(key[1])",
        "return entry.value if entry is not None else None",
        "test_2_3_state_is_read_from_the_page_of_the_event",
    ),
    Row(
        "2.3",
        "the page sends along the State that the chain may read",
        "watcher.ts",
        "reports.change(values, stateFor(watched, values))",
        "reports.change(values, [])",
        "watcher.test.ts::after an interaction it is a change, with the State it needs",
    ),
    Row(
        "2.4",
        "MATCH stands for one component",
        "patterns.py",
        "return free or name not in bound or bound[name] == value",
        "return True",
        "test_2_4_patterns_in_shared_callbacks",
    ),
    Row(
        "2.4",
        "ALLSMALLER stands for the smaller ones",
        "patterns.py",
        "return bool(value < limit)",
        "return True",
        "test_2_4_patterns_in_shared_callbacks",
    ),
    Row(
        "2.4",
        "dict ids are sorted text on the wire",
        "components.py",
        "orjson.dumps(dict(id), option=orjson.OPT_SORT_KEYS)",
        "orjson.dumps(dict(id))",
        "test_2_4_patterns_in_shared_callbacks",
    ),
    Row(
        "2.5",
        "a watched property is not persisted",
        "dash_glue/layout.py",
        'del props["persistence"]',
        "pass",
        "test_2_5_persistence_is_dropped",
    ),
    Row(
        "2.5",
        "with one warning",
        "dash_glue/layout.py",
        "self._warned.add(id)",
        "pass",
        "test_2_5_persistence_is_dropped",
    ),
    Row(
        "2.5",
        "inputs that differ from page to page: a warning",
        "dash_glue/registering.py",
        "if dep.prop in _PER_PAGE:",
        "if False:",
        "test_2_5_inputs_that_differ_from_page_to_page",
    ),
]
