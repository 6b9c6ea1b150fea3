"""What honest browsers send, whatever its size; and what visitors make up and leave behind."""

from __future__ import annotations

import functools

from .row import Row

_sizes = functools.partial(Row, "wire 18")
_absent = functools.partial(Row, "11.3")


ROWS = [
    _sizes(
        "a large message may have more fragments",
        "fragments.py",
        "free + self._size // BYTES_FOR_ONE_MORE",
        "free",
        "test_a_large_message_may_have_more_fragments",
    ),
    _sizes(
        "the reason names the message",
        "connection.py",
        'f"{codec.named(raw)}{error}"',
        "str(error)",
        "test_the_reason_names_the_message_that_broke_the_rules",
    ),
    _sizes(
        "a change that is too large is not sent",
        "session.ts",
        "exceeds(change.text, messageBytes) && giveUp(change)",
        "false && giveUp(change)",
        "session.test.ts::a change larger than the server takes is not sent: an empty one takes its number, "
        "and the server's value is asked for",
    ),
    _sizes(
        "a request that is too large is answered in the page",
        "requests.ts",
        "if (mayCarry(asker.frame))",
        "if (true)",
        "requests.test.ts::what is larger than the server takes is answered here and not sent",
    ),
    _sizes(
        "what the server could not read is not sent again",
        "app.ts",
        "if (isUnreadable) blame(by);",
        "",
        "app.test.ts::a message that the server names as unreadable is not sent again, and the page says so",
    ),
    _sizes(
        "a request is sent three times at most",
        "requests.ts",
        "if (asker.tries < TRIES) return;",
        "if (asker) return;",
        "requests.test.ts::a request under which three lines were lost is given up",
    ),
    _absent(
        "names in a hello are short",
        "connection.py",
        "        _check_names(message)\n",
        "",
        "test_names_in_a_hello_are_short",
    ),
    _absent(
        "tabs that left are bounded in bytes",
        "sessions.py",
        " and self._gone_bytes <= KEEP_BYTES",
        "",
        "test_tabs_that_left_are_kept_up_to_so_many_bytes",
    ),
    _absent(
        "a mounted value is bounded",
        "intake.py",
        "if size > self.limits.change_bytes and size > self._change_limit(listeners):",
        "if False:",
        "test_a_mounted_value_is_bounded_as_one_of_a_change_is",
    ),
    _absent(
        "what only pages announced goes with the last page",
        "absent.py",
        "elif entries and not is_ours:",
        "elif False:",
        "test_what_only_pages_announced_goes_with_the_last_page",
    ),
    _absent(
        "what the server sent is bounded in bytes",
        "absent.py",
        "while self._bytes > KEEP_BYTES:",
        "while False:",
        "test_what_the_server_sent_waits_up_to_so_many_bytes",
    ),
    _absent(
        "so is what visitors store for ids of their own",
        "absent.py",
        "if size > before and self._made_up + size - before > MADE_UP_BYTES:",
        "if False:",
        "test_what_visitors_store_for_ids_of_their_own_is_bounded",
    ),
    _absent(
        "but not what is named as durable",
        "absent.py",
        " and not any(is_durable(entry.key) for entry in entries)",
        "",
        "test_what_is_named_as_durable_stays",
    ),
    _absent(
        "nothing of it is left on disk",
        "scribe.py",
        "rows[VALUE, *key] = None",
        "pass",
        "test_nothing_of_them_is_left_on_disk_unless_it_is_named",
    ),
    _absent(
        "the welcome does not name it",
        "greeter.py",
        " if not self._is_covered(id)]",
        "]",
        "test_a_welcome_does_not_name_what_visitors_made_up",
    ),
    Row(
        "wire 17",
        "what is gone does not count",
        "session.ts",
        "ids.has(idOf(key)) && versions.delete(key)",
        "false",
        "app.test.ts::what the server has forgotten meanwhile counts no more, and is announced again where the page shows it",
    ),
    Row(
        "wire 17",
        "a page gets its own later change again behind that",
        "batches.py",
        " or entry.key[0] in gone",
        "",
        "test_whoever_reads_whenever_ends_on_the_exact_state",
    ),
    Row(
        "wire 17",
        "who is too far behind starts over",
        "greeter.py",
        "or self._is_behind(hello.seq))",
        ")",
        "test_a_page_that_is_too_far_behind_starts_over",
    ),
]
