"""Section 11 at large: guesses at passwords, logins while pages are open, and caches."""

from __future__ import annotations

from .row import Row


def _row(rule: str, file: str, old: str, new: str, test: str) -> Row:
    return Row("11.1", rule, f"gate/{file}.py" if "." not in file else file, old, new, test)


ROWS = [
    _row(
        "compressed files are used only for the same content",
        "dash_glue/compression.py",
        "known is not None and known[0] == digest",
        "known is not None",
        "test_a_file_that_a_hook_of_the_author_changes_is_made_for_each_who_asks",
    ),
    _row(
        "and kept in bounded memory",
        "dash_glue/compression.py",
        "while self.size > self._most:",
        "while False:",
        "test_a_cache_is_bounded_in_bytes",
    ),
    _row(
        "many paths lead to one file",
        "dash_glue/suite_files.py",
        "(package_name, path))",
        "(package_name, fingerprinted_path))",
        "test_a_file_is_compressed_once_whatever_fingerprint_is_asked_for",
    ),
    _row(
        "a login forgives its own name's tries alone",
        "throttle",
        "self._networks.forgive(pair[0], count, asked)",
        "self._networks._tries.pop(pair[0], None)",
        "test_a_login_of_ones_own_forgives_no_guesses_at_many_names",
    ),
    _row(
        "a known name waits for its own tries, too",
        "throttle",
        "return max(self._pairs.wait(pair), ",
        "return max(0.0, ",
        "test_a_login_of_ones_own_forgives_no_guesses_at_anothers",
    ),
    _row(
        "guesses at many names count together",
        "throttle",
        "0.0 if pair in self._known else self._networks.wait(pair[0])",
        "0.0",
        "test_guesses_at_many_names_from_one_address_are_slowed",
    ),
    _row(
        "a known name waits for no guesses at others",
        "throttle",
        "0.0 if pair in self._known else self._networks.wait(pair[0])",
        "self._networks.wait(pair[0])",
        "test_who_has_logged_in_from_an_address_waits_for_no_guesses_at_others",
    ),
    _row(
        "no wait is shared by all who try a name",
        "login",
        "pair = (network_of(head.address), name)",
        'pair = ("", name)',
        "test_guesses_from_many_addresses_lock_nobody_out",
    ),
    _row(
        "what there was no time for is no guess",
        "login",
        "            self._guesses.not_made(pair)\n",
        "",
        "test_two_passwords_are_checked_at_once_and_only_so_many_wait",
    ),
    _row(
        "only so many passwords wait",
        "checks",
        "len(queue) >= self._most",
        "False",
        "test_two_passwords_are_checked_at_once_and_only_so_many_wait",
    ),
    _row(
        "few tries go first",
        "checks",
        "        queue.sort(key=itemgetter(0))  # stable: among equals the first comes first\n",
        "",
        "test_who_tried_little_goes_first_and_takes_the_place_of_who_tried_much",
    ),
    _row(
        "who gives up a turn hands it on",
        "checks",
        "if not turn.cancelled() and turn.exception() is None:",
        "if False:",
        "test_a_turn_that_nobody_takes_is_handed_on",
    ),
    _row(
        "other roles reach open pages",
        "dash_glue/gating.py",
        "        self._hub.sweeping = self._renew_logins\n",
        "",
        "test_roles_that_change_reach_open_pages",
    ),
    _row(
        "a login that is over closes its pages",
        "dash_glue/gating.py",
        'session.link.close(Close.UNAUTHENTICATED, "your login has ended")',
        "pass",
        "test_open_pages_of_a_login_that_is_over_are_closed",
    ),
    _row(
        "who the author let in is left alone",
        "users",
        "if identity.proof is None:",
        "if False:",
        "test_who_the_author_let_in_is_left_alone",
    ),
    _row(
        "debug that others can reach is warned of",
        "dash_glue/backend.py",
        "if debug and not is_loopback(host):",
        "if False:",
        "test_debug_that_others_can_reach_is_warned_of",
    ),
    _row(
        "a login that was ended stays so",
        "users",
        "                self.revoke(user)\n",
        "                pass\n",
        "test_a_login_that_was_ended_stays_so_however_many_end_after_it",
    ),
    _row(
        "a page pushes out its own cookies alone",
        "dash_glue/cookies.py",
        "self.take(next(iter(own)))",
        "self.take(next(iter(self._by_nonce)))",
        "test_a_page_pushes_out_its_own_alone",
    ),
    _row(
        "cookies that wait are bounded",
        "dash_glue/cookies.py",
        "while self.size > MOST_BYTES:",
        "while False:",
        "test_they_are_bounded_in_bytes",
    ),
]
