"""What pages, clients and disks may try, line by line, and the tests that say what each gets.

``R:x`` is a test of the folder `FOLDERS` names; ``row x`` is a row of the attack table that looks at it, too.
"""

from __future__ import annotations

import itertools
from typing import Final

FOLDERS: Final = {
    "R": "running",
    "U": "unit",
    "G": "gate",
    "D": "durable",
    "S": "semantics",
    "V": "review",
    "B": "browser",
}

LINES: Final[dict[str, str]] = {
    # ---- frames and bytes
    "a binary frame, empty or with JSON: 1003": "R:frames::binary_frames_are_closed_with_1003",
    "a frame that is no JSON, or empty: 4400": "R:frames::what_is_not_json_is_closed_with_4400",
    "text that is no UTF-8, a character cut by fragments: 1007": (
        "R:frames::invalid_utf8_is_closed_with_1007 R:frames::a_character_may_be_cut_by_fragments "
        "R:transport::invalid_utf8_over_fragments_is_closed_with_1007"
    ),
    "a change at its limit of bytes, and one byte above: taken, nack": (
        "R:messages::bytes_at_their_limit R:messages::a_callback_may_take_more_than_others"
    ),
    "a message at its limit of bytes, and one byte above: taken, 1009": (
        "R:messages::a_message_at_its_limit R:frames::too_big_a_message_is_closed_with_1009"
    ),
    "a message of 16, 17 and a million fragments: taken, 1008, 1008": (
        "R:frames::too_many_fragments_are_closed_with_1008 "
        "R:transport::a_million_fragments_are_closed_at_the_seventeenth row bombs"
    ),
    "one more fragment for each 4 KiB, as browsers cut large messages: taken, one above: 1008": (
        "R:frames::a_large_message_may_have_more_fragments"
    ),
    "a deflate bomb: never negotiated, so 1002": (
        "R:transport::compression_is_not_negotiated_and_its_bit_is_an_error "
        "R:frames::run_never_agrees_to_compression row bombs"
    ),
    "more than ten pings a second: 4429": (
        "R:transport::pings_beyond_ten_a_second_are_closed_with_4429 R:transport::some_pings_are_answered row bombs"
    ),
    "no mask, reserved bits, a bad opcode, a long control frame: 1002": "R:transport::broken_framing_is_closed_with_1002",
    "whoever breaks the rules is counted and named in the log": (
        "R:frames::whoever_breaks_the_rules_is_counted_and_named_in_the_log"
    ),
    "nothing is received for 15 s: gone, and may resume": (
        "U:vitals::a_silent_page_is_gone_within_fifteen_seconds R:alive::a_silent_page_is_cut"
    ),
    "it sends and never reads: bounded, cut after 30 s": (
        "U:vitals::a_page_that_sends_but_never_reads_is_gone_after_thirty R:alive::a_page_that_never_reads_is_cut "
        "V:pages::private_events_for_a_page_that_does_not_read_are_bounded "
        "V:pages::a_page_that_asks_on_and_reads_nothing_is_closed"
    ),
    "too many sockets, of one address and in all: 503": (
        "G:limits::so_many_sockets_in_all_and_for_each_address "
        "G:limits::one_socket_too_many_gets_503_and_the_others_go_on row crowd"
    ),
    "no file is left for another connection: others go on": "R:process::no_file_is_left_for_another_connection",
    # ---- HTTP connections
    "the socket by an encoded path, a later request, HTTP/2: our limits, or 421": (
        "R:connections::however_its_path_is_written_the_socket_has_our_limits "
        "R:connections::a_later_request_of_a_connection_becomes_our_socket "
        "R:connections::the_http_server_never_serves_our_socket "
        "R:http2::http2_is_spoken_where_it_is_wanted_but_not_for_the_socket row http"
    ),
    "a socket of the author's own: no compression, 1009 for bytes and fragments": (
        "R:connections::a_socket_of_the_authors_own_is_not_compressed R:connections::its_messages_have_so_many_fragments "
        "R:connections::its_messages_have_so_many_bytes"
    ),
    "HTTP/2 that nobody wanted: 505; resets, a window of zero, bodies: cut": (
        "R:http2::http2_without_tls_is_refused_unless_wanted R:http2::http2_with_tls_only_if_wanted "
        "R:http2::who_resets_one_request_after_the_other_is_cut R:http2::nothing_is_made_for_a_window_of_zero "
        "R:http2::the_bodies_of_all_requests_have_a_limit_together row http"
    ),
    "a head, a body, an answer that does not move on: cut; an event stream: never": (
        "R:connections::half_a_second_head_is_closed R:connections::a_body_that_does_not_arrive_is_cut "
        "R:connections::an_answer_that_nobody_reads_is_cut R:connections::an_event_stream_may_be_silent row http"
    ),
    "too many connections: idle ones are closed, else 503": (
        "R:connections::who_comes_too_much_gets_503_unless_one_is_idle U:http_connections::an_address_has_so_many_connections"
    ),
    "JSON over HTTP with too many parts: 413, and nothing is built of it": (
        "R:json_bodies::more_parts_than_a_frame_may_have_get_413 R:json_bodies::nothing_is_built_of_it row http"
    ),
    "a path that writes lines into the log: escaped": "G:headers::a_path_makes_no_lines_of_the_log",
    "a page that speaks, and answers no ping: gone after a minute": (
        "U:vitals::a_page_that_answers_no_ping_is_cut_whatever_it_says"
    ),
    # ---- handshake
    "a foreign Origin, one that looks like ours, null: 403": (
        "R:frames::a_foreign_origin_gets_403 S:11_trust::11_1_sockets_from_foreign_origins_are_refused "
        "G:table::names_and_origins row origins row handshakes"
    ),
    "no Origin: fine for scripts, 403 with a cookie": (
        "S:11_trust::11_1_a_cookie_without_an_origin_is_refused G:login::nothing_is_seen_without_a_login row handshakes"
    ),
    "forwarded headers of a peer that is no trusted proxy: ignored": (
        "G:proxies::from_anybody_else_it_is_as_if_not_said G:proxies::a_prefix_is_a_plain_path "
        "R:http::an_address_cannot_be_claimed row handshakes"
    ),
    "large headers, a long address: 431, 414": (
        "G:limits::heads_that_are_too_large G:limits::limits_of_the_head row handshakes"
    ),
    "a token in the address: refused": "G:login::a_script_sends_its_token row handshakes row routes",
    "an expired, foreign, unsigned or changed cookie: 401": (
        "G:login::a_forged_cookie_is_none G:login::a_cookie_of_another_app_with_the_same_key_is_none "
        "G:login::an_expired_login_is_over_for_http_and_for_the_socket row cookies"
    ),
    "guesses at a password: slowed, and nobody else is locked out": (
        "G:guesses::a_login_of_ones_own_forgives_no_guesses_at_anothers "
        "G:guesses::guesses_from_many_addresses_lock_nobody_out "
        "G:guesses::two_passwords_are_checked_at_once_and_only_so_many_wait row guesses"
    ),
    "paths that are made up: in no cache": (
        "R:compression::an_index_is_made_for_each_who_asks "
        "R:compression::a_file_is_compressed_once_whatever_fingerprint_is_asked_for row caches"
    ),
    "no hello: 4408 after 10 s, and nobody joined": (
        "R:frames::whoever_says_nothing_is_closed_with_4408 G:limits::a_head_that_never_ends_costs_nothing_but_its_bytes "
        "row handshakes row half_open"
    ),
    "another version of the protocol, a subprotocol: 4426": (
        "R:frames::the_first_message_is_one_hello G:limits::a_subprotocol_is_closed_with_a_hint_to_reload row handshakes"
    ),
    "a form or a fetch of another site: 403": (
        "G:headers::other_sites_load_nothing_but_whole_pages G:headers::callbacks_take_json_alone "
        "G:login::a_form_of_another_site_is_refused B:login::another_site_neither_frames_nor_loads_nor_changes_anything"
    ),
    # ---- messages
    "JSON that is no message: 4400": "R:frames::json_that_is_no_message_is_closed_with_4400",
    "deeper, or with more parts, than allowed: nack": (
        "R:messages::depth_at_its_limit R:messages::nodes_at_their_limit "
        "R:messages::a_bomb_is_refused_by_its_number_and_the_page_goes_on U:strict::bombs_are_refused_before_they_are_built"
    ),
    "a key that comes twice, NaN, 1e999, 4,000 digits: 4400": (
        "R:messages::a_value_that_is_no_json_or_says_two_things U:strict::a_key_that_comes_twice_is_refused "
        "U:strict::what_is_no_number_is_refused"
    ),
    "-0, 2**53+1, NUL, U+202E, half an emoji: stored, and harmless": (
        "R:messages::odd_values_are_stored_as_they_are R:messages::half_an_emoji_keeps_nobody_from_going_on "
        "U:strict::half_a_character_becomes_the_mark_of_one"
    ),
    "an unknown type, fields that are missing or wrong: 4400": (
        "R:messages::messages_that_no_page_sends_are_closed U:protocol::every_field_is_checked"
    ),
    "an unknown id or property, or a forbidden one: the same nack": (
        "S:11_trust::11_1_a_change_names_a_watched_property R:messages::names_of_nothing_are_refused "
        "S:11_access::11_1_a_change_that_is_not_allowed_looks_like_one_of_nothing"
    ),
    "a.__class__, a.b[0], ../x as a property: nack": "R:messages::names_of_nothing_are_refused",
    "a list, an object or 200 kB as an id: 4400, nack": (
        "R:messages::an_id_that_is_none_is_closed V:pages::an_id_that_no_component_can_have_is_nobodys"
    ),
    "a wildcard that stands for too many: capped": (
        "R:messages::what_pages_announce_is_capped_for_all_of_them_and_for_one_wildcard "
        "S:11_trust::11_1_a_page_announces_ten_thousand_at_most"
    ),
    "a number that was handled: its answer again; one too far: 4400": (
        "S:10_reconnect::10_3_a_number_is_handled_once S:10_age::10_4_the_number_is_looked_up_first"
    ),
    "an ack of what was never sent: 4400": "U:vitals::nobody_applies_what_was_never_sent",
    "a hello with a name of more than 64 characters: 4400": "R:frames::names_in_a_hello_are_short row visitors",
    "ids and refused changes of visitors who left: forgotten, or bounded in bytes": (
        "R:absent::ids_that_only_a_page_announced_go_with_it R:absent::what_visitors_store_for_ids_of_their_own_is_bounded "
        "R:absent::a_welcome_does_not_name_what_visitors_made_up U:sessions::tabs_that_left_are_kept_up_to_so_many_bytes "
        "U:absent::what_the_server_sent_waits_up_to_so_many_bytes row visitors"
    ),
    "two hellos, a message before it: 4400": "R:frames::the_first_message_is_one_hello",
    "100,000 changes a second: slowed, then 4429; an honest page never": (
        "R:transport::who_says_more_is_slowed_and_loses_nothing "
        "R:transport::who_goes_on_in_spite_of_that_is_closed_with_4429 U:pace::an_honest_page_is_never_slowed row flood"
    ),
    "changes that are refused again and again: no memory": (
        "R:messages::refused_changes_leave_nothing_behind "
        "R:messages::a_large_value_is_told_once_however_many_changes_of_it_are_refused"
    ),
    "requests without end, also those that fail: slowed, then 4429; an honest page never": (
        "R:requests::a_page_that_asks_without_end_is_slowed_and_closed R:requests::what_honest_pages_ask_is_never_slowed "
        "U:metering::unanswered_requests_are_bounded_in_number_and_bytes "
        "U:metering::layouts_of_a_page_load_at_their_limit row asking"
    ),
    "slow callbacks of one page: nobody else waits": (
        "R:requests::slow_callbacks_of_one_page_delay_no_other U:threads::one_owner_leaves_room_for_the_others row asking"
    ),
    "one message that is long or wide somewhere: 400, 413, nack": (
        "R:requests::a_body_that_is_no_request_for_a_callback R:requests::components_of_one_request_at_their_limit "
        "R:requests::a_query_is_as_long_as_that_of_an_address R:messages::names_of_nothing_are_refused row worst"
    ),
    "errors again and again: the log stays small": (
        "R:requests::requests_that_fail_do_not_fill_the_log U:loglimits::lines_of_one_place_are_few_and_the_rest_is_counted "
        "row asking"
    ),
    "a request over HTTP alone: asked about as one over the socket": (
        "R:requests::who_comes_over_http_is_asked_about_too "
        "R:requests::rules_see_the_same_client_over_http_as_over_a_socket"
    ),
    "all tabs at one slider: the newest wins in all of them": (
        "S:4_changes::4_2_crossing_changes_have_one_order B:drags::two_tabs_drag_the_same_slider row together"
    ),
    "a slider faster than its device: most_recent, or every step": (
        "S:5_lanes::5_2_most_recent_keeps_one_waiting_call S:5_lanes::5_2_every_change_is_delivered "
        "S:5_slow::5_4_slow_callbacks_delay_nothing_else R:messages::what_waits_in_a_lane_is_bounded_in_bytes"
    ),
    "a callback that raises, hangs, or returns what is no JSON": (
        "R:messages::a_callback_that_fails_or_hangs_costs_its_own_outputs_only V:calls::no_error_stops_a_lane"
    ),
    # ---- rendering
    "markup, scripts, styles, Markdown and SVG in values: inert": (
        "B:policy::scripts_that_get_into_a_page_do_not_run row xss"
    ),
    "components that a page writes: refused": (
        "R:messages::components_from_a_page_are_refused U:strict::what_a_value_holds_beside_data row xss"
    ),
    "__proto__ in a value: refused": "R:messages::values_that_name_the_prototype_are_refused row xss",
    "components, Patches and __proto__ in any property, State, a mount, a request, an answer": (
        "S:11_components::11_2_an_input_is_data S:11_components::11_2_state_is_data_or_the_servers_own "
        "S:11_components::11_2_state_that_came_with_a_mount S:11_components::11_2_a_request_names_no_prototype "
        "S:11_components::11_2_an_answer_names_no_prototype row components"
    ),
    "what a page sent as a component, passed on to others: the author's error": (
        "S:11_components::11_2_what_goes_to_other_pages_has_no_components_of_data row components"
    ),
    "a protected control inside of children that a guest caused: not set": (
        "S:11_components::11_2_nested_components_set_nothing_that_the_cause_may_not_change "
        "S:11_components::11_2_nor_do_patches_and_what_follows "
        "S:11_components::11_2_what_a_regular_callback_brings_counts_as_mounted_by_its_page row components"
    ),
    "a Patch that multiplies a text, or writes far behind the end of a list: an error": (
        "V:patches::nothing_but_numbers_is_multiplied V:patches::an_index_far_away_makes_no_long_list"
    ),
    "50 MB pushed by mistake: the author's error": (
        "S:7_bad_values::7_7_a_value_too_large_for_the_pages_is_the_authors_error "
        "S:7_bad_values::7_7_a_result_too_large_costs_its_own_output_only"
    ),
    # ---- files
    "an address that leads out of the folders: 404": (
        "R:http::no_address_leads_out_of_the_folders_that_are_served G:table::an_address_is_a_path"
    ),
    "a state file that is empty, cut, noise, newer, no file: kept aside or left alone": (
        "D:files::a_bad_file_is_kept_aside_and_the_previous_generation_used D:files::damage_gives_no_wrong_value "
        "D:files::where_both_generations_are_bad_both_are_kept_aside D:files::a_newer_layout_is_left_alone "
        "D:files::what_is_no_file_is_refused D:files::a_file_of_somebody_else_is_refused "
        "D:state::a_bad_file_is_told_to_every_page row flips"
    ),
    "a full disk, EIO: refused, told, and taken again when it can be": (
        "D:disk::a_change_is_refused_that_cannot_be_kept_and_taken_again_when_it_can "
        "D:disk::the_change_that_fills_the_disk_is_not_carried_out row bad_files"
    ),
    "two processes, or another program, at one state file": (
        "D:files::the_second_one_who_opens_it_is_refused "
        "D:files::a_file_that_another_program_has_locked_is_refused_and_not_moved"
    ),
    "files of a state that others may read, links beside it, a lock of somebody else": (
        "D:rights::files_that_others_may_read_are_closed_to_them D:rights::nothing_is_written_through_a_link "
        "D:rights::a_lock_that_somebody_else_wrote_is_kept D:rights::a_lock_that_is_no_file_is_refused "
        "D:rights::the_lock_of_the_one_worker_is_not_written_through_a_link"
    ),
    # ---- what is put together
    "a component, a Patch or __proto__ put together key by key by Patches and points: refused, nothing stored": (
        "U:pieced_together::no_component_is_made_key_by_key U:pieced_together::nor_merged_nor_in_a_row_of_a_table "
        "U:pieced_together::no_patch_and_no_prototype U:pieced_together::points_make_no_component "
        "U:pieced_together::a_component_becomes_no_other_one"
    ),
    "components that a page makes up although its client may not change them: they run nothing": (
        "S:11_access::11_1_nor_does_a_component_that_is_made_up_make_a_callback_run"
    ),
    "many large JSON bodies at once: one after the other": "R:json_bodies::large_bodies_are_decoded_one_at_a_time",
    "a refusal while the client still sends: read, or Connection: close": (
        "G:authenticate::who_is_refused_gets_the_answer_and_may_ask_again "
        "G:authenticate::a_body_that_is_not_read_closes_the_connection_and_says_so"
    ),
    "peers of TLS that leave early, or stay at the end: no line of the log, an end at once": (
        "R:http2::what_comes_too_late_for_a_connection_is_no_line_of_the_log R:http2::a_server_with_tls_ends_at_once"
    ),
    # ---- the host
    "a server that is stopped for a while: stale, then exact": (
        "B:survival_labels::a_line_that_carries_nothing_is_found_out U:vitals::a_loop_that_was_held_up_cuts_nobody"
    ),
    "an error in production: an id, no traceback": (
        "G:headers::an_error_is_an_id_and_the_rest_is_in_the_log G:authenticate::whatever_is_no_identity_refuses"
    ),
}


def nodes(line: str) -> list[str]:
    """The tests of one line, as pytest names them."""
    return [node(word) for word in LINES[line].split() if ":" in word]


def node(word: str) -> str:
    """``R:frames::x`` in full."""
    folder, _, rest = word.partition(":")
    module, _, name = rest.partition("::")
    return f"tests/{FOLDERS[folder]}/test_{module}.py::test_{name}"


def rows(line: str) -> list[str]:
    """The rows of the table that belong to it, too."""
    words = LINES[line].split()
    return [after for word, after in itertools.pairwise(words) if word == "row"]
