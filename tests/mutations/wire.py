"""The numbered rules of ``PROTOCOL.md``, and what the renderer would otherwise make of ours."""

from __future__ import annotations

from .row import Row

HUB = "test_every_history_with_the_real_hub_converges"
SESSION = "test_the_session_does_what_the_model_does"

ROWS = [
    Row(
        "wire 1",
        "oldest first",
        "shared.py",
        "        newer.reverse()\n",
        "",
        "test_whoever_reads_whenever_ends_on_the_exact_state",
    ),
    Row(
        "wire 1",
        "everything newer than the seq it stands at",
        "shared.py",
        "if entry.seq <= position:",
        "if entry.seq <= position + 1:",
        HUB,
    ),
    Row(
        "wire 2",
        "the originator does not get its own value back",
        "intake.py",
        "Cause(client=session.client, state=state), origin=session.page)",
        "Cause(client=session.client, state=state))",
        HUB,
    ),
    Row("wire 3", "hold back", "session.ts", "return !!waiting;\n", "return false;\n", SESSION),
    Row(
        "wire 3",
        "an older value aside is dropped",
        "session.ts",
        "waiting.aside.filter(([asideSeq]) => asideSeq > seq)",
        "waiting.aside",
        SESSION,
    ),
    Row(
        "wire 4",
        "a number beyond the next one closes the socket",
        "intake.py",
        "if change.n > session.handled + 1:",
        "if False:",
        "test_10_3_a_number_is_handled_once",
    ),
    Row("wire 4", "recorded answers come again after a lost socket", "hub.py", 'if mode == "delta":', "if False:", HUB),
    Row(
        "wire 4",
        "a page ignores answers to what it has settled",
        "session.ts",
        "isNews && !held.has",
        "!held.has",
        "session.test.ts::a refusal that comes again after a resume changes nothing",
    ),
    Row(
        "wire 4",
        "what is above handled is sent again",
        "session.ts",
        "sent = pending.filter(({ n }) => n <= handled).length;",
        "sent = pending.length;",
        SESSION,
    ),
    Row(
        "wire 5",
        "mounting is no change",
        "intake.py",
        "if entry is None:\n                    adopted",
        "if True:\n                    adopted",
        HUB,
    ),
    Row(
        "wire 6",
        "the results of a call have one seq",
        "engine.py",
        "self.store(items, call.child)",
        "[self.store([item], call.child) for item in items]",
        "test_4_3_results_are_one_atomic_mod",
    ),
    Row(
        "wire 7",
        "at most limits.unacked changes without an answer",
        "session.ts",
        "Math.min(pending.length, limit)",
        "pending.length",
        "session.test.ts::past the limit changes wait for acks, in order",
    ),
    Row(
        "wire 8",
        "1,000 waiting events at most",
        "outbox.py",
        "if len(self._events) >= MAX_EVENTS:",
        "if False:",
        "test_7_6_the_page_is_told_of_lost_events",
    ),
    Row(
        "page",
        "writing leaves no step in the undo history",
        "dash.ts",
        'store!.dispatch({ type: "REVERT" });',
        "{}",
        "writer.test.ts::a value somebody listens to is told, and leaves no step to undo",
    ),
    Row(
        "page",
        "a value nobody listens to skips set_props",
        "writer.ts",
        "if (plain && !named.some(",
        "if (false && !named.some(",
        "writer.test.ts::a value nobody listens to is written without set_props",
    ),
    Row(
        "page",
        "one bad value does not keep the others from the page",
        "writer.ts",
        'complain("the page refused", named, error);',
        "throw error;",
        "writer.test.ts::the list of listeners is whole again when set_props throws, and the rest is written",
    ),
    Row(
        "page",
        "an error of ours does not break the renderer's dispatch",
        "watcher.ts",
        'complain("a change was not reported", error);',
        "throw error;",
        "watcher.test.ts::an error of ours does not break the renderer's dispatch",
    ),
]
