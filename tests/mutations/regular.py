"""Section 9: regular callbacks."""

from __future__ import annotations

from .row import Row

ROWS = [
    Row(
        "9.1",
        "they travel over the socket",
        "app.py",
        "bool(self._server_service & Services.PUSHER_ALL)",
        "False",
        "test_9_1_where_requests_travel",
    ),
    Row(
        "9.1",
        "NORMAL uses HTTP",
        "app.py",
        "bool(self._server_service & Services.PUSHER_ALL)",
        "True",
        "test_9_1_where_requests_travel",
    ),
    Row(
        "9.1",
        "in order with the mods",
        "dash_glue/requests.py",
        "self._app._hub.flush_session(session)  #",
        "pass  #",
        "test_9_1_replies_come_in_order_with_the_mods",
    ),
    Row(
        "9.1",
        "sync ones run in threads",
        "dash_glue/backend.py",
        "result = await in_thread(pool, begin)",
        "result = begin()",
        "test_9_1_sync_callbacks_run_in_threads",
    ),
    Row(
        "9.2",
        "the headers are those of the handshake",
        "dash_glue/requests.py",
        'known.add(name.decode("latin-1").title(), value.decode("latin-1"))',
        "pass",
        "test_9_2_the_context_is_that_of_the_handshake",
    ),
    Row(
        "9.2",
        "cookies reach the browser",
        "dash_glue/requests.py",
        "headers[COOKIE_HEADER] = self._keep_cookies(cookies)",
        "self._keep_cookies(cookies)",
        "test_9_2_cookies_and_headers_reach_the_page",
    ),
    Row(
        "9.2",
        "before the reply is handed over",
        "requests.ts",
        "if (doing) await doing;",
        "",
        "app.test.ts::cookies are fetched before the reply is handed over",
    ),
    Row(
        "9.3",
        "S2 is one at a time over all clients",
        "dash_glue/backend.py",
        "work() if lane is None else",
        "work() if True else",
        "test_9_3_s2_is_private_and_one_at_a_time_over_all_clients",
    ),
    Row(
        "9.3",
        "no request stays unanswered",
        "dash_glue/requests.py",
        "        except Exception:",
        "        except OSError:",
        "test_9_3_an_error_that_the_server_hands_on_is_answered",
    ),
    Row(
        "9.3",
        "also when the lane is full",
        "lanes.py",
        "            self.future.set_exception(RuntimeError(",
        "            print(RuntimeError(",
        "test_9_3_a_full_lane_answers",
    ),
]
