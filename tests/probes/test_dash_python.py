"""What this package leans on in Dash's Python code, one test each: a failure says what moved in a new Dash.

Read in Dash 4.4.1. Every test names the file and what here depends on it.
"""

from __future__ import annotations

import contextvars
import inspect
import re
from pathlib import Path
from typing import Any

import dash
import orjson
import pytest
from dash import _callback, _callback_context, _grouping, _utils, _validate, dcc, html
from dash._no_update import NoUpdate
from dash.backends import _quart
from dash.dependencies import ALL, Input, Output, State, handle_grouped_callback_args


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_version_is_one_that_was_read() -> None:
    assert dash.__version__.split(".")[:2] == ["4", "4"]


def test_create_app_makes_the_server() -> None:
    """dash/dash.py, ``Dash.__init__``: a backend class is asked for the server; ``app.py`` gives the user's own there."""
    made = []

    class Backend(_quart.QuartDashServer):
        @staticmethod
        def create_app(name: str = "", config: Any = None) -> Any:
            made.append(name)
            return _quart.QuartDashServer.create_app(name, config)

    app = dash.Dash("probe", backend=Backend)
    assert made == ["probe"]
    assert isinstance(app.backend, Backend)


def test_init_app_is_called_by_the_constructor_and_registers_hooks_on_the_backend() -> None:
    """dash/dash.py, ``init_app``: ``backend.before_request`` takes ``_setup_server``; ``dash_glue/backend.py`` replaces it."""
    source = inspect.getsource(dash.Dash.init_app)
    assert "self.backend.before_request(self._setup_server)" in source
    assert "self.init_app()" in inspect.getsource(dash.Dash.__init__)


def test_the_websocket_stack_follows_the_backends_capability() -> None:
    """dash/dash.py, ``_setup_routes`` and ``_config``: without the capability there is no route and no setting for it."""
    assert "if self.backend.websocket_capability:" in inspect.getsource(dash.Dash._setup_routes)
    assert "if self.backend.websocket_capability:" in inspect.getsource(dash.Dash._config)


@pytest.mark.parametrize("name", ["_dash-layout", "_dash-dependencies", "_dash-update-component"])
def test_routes_have_the_names_that_travel_over_the_socket(name: str) -> None:
    """dash/dash.py, ``_setup_routes``; ``dash_glue/requests.py`` asks for these paths."""
    assert f'"{name}"' in inspect.getsource(dash.Dash._setup_routes)


def test_serve_layout_is_looked_up_on_the_app() -> None:
    """dash/dash.py: the route of the layout is ``self.serve_layout``, which ``app.py`` overrides with a coroutine."""
    assert '("_dash-layout", self.serve_layout)' in inspect.getsource(dash.Dash._setup_routes)


def test_the_steps_of_a_callback_request() -> None:
    """dash/backends/_quart.py, ``serve_callback``: the same four steps in ``dash_glue/backend.py``."""
    source = inspect.getsource(_quart.QuartDashServer.serve_callback)
    for step in ("_initialize_context", "_prepare_callback", "_inputs_to_vals", "_execute_callback", "set_response"):
        assert step in source
    assert parameters(dash.Dash._initialize_context) == ["self", "body"]
    assert parameters(dash.Dash._prepare_callback) == ["self", "g", "body"]
    assert parameters(dash.Dash._execute_callback) == ["self", "func", "args", "outputs_list", "g"]


def test_the_context_gives_what_callback_context_reads() -> None:
    """dash/_callback_context.py: every attribute that is read has its like in ``dash_glue/invocation.py``."""
    from dash_devices.dash_glue.invocation import SharedContext

    source = inspect.getsource(_callback_context)
    read = set(re.findall(r'_get_(?:context_value\(\), |from_context\()"(\w+)"', source))
    assert {"input_values", "state_values", "triggered_inputs", "args_grouping", "dash_websocket"} <= read
    lacking = {name for name in read - {"dash_response"} if not hasattr(SharedContext, name)}
    assert lacking <= {"dash_websocket", "custom_data"}  # set per call


def test_set_props_goes_to_the_contexts_websocket() -> None:
    """dash/_callback_context.py, ``set_props``: it streams when the context has a ``dash_websocket``."""
    seen = []

    class Socket:
        def set_prop_sync(self, id: str, property: str, value: Any) -> None:
            seen.append((id, property, value))

    context = _utils.AttributeDict(dash_websocket=Socket())
    contextvars.copy_context().run(
        lambda: (_callback_context.context_value.set(context), dash.set_props("a", {"b": 1}))
    )
    assert seen == [("a", "b", 1)]


def test_arguments_are_split_as_in_every_callback() -> None:
    """dash/dependencies.py, ``handle_grouped_callback_args``; used by ``dash_glue/registration.py``."""
    output, inputs, state, indices, prevent = handle_grouped_callback_args(
        [Output("o", "children"), Input("i", "value"), State("s", "value")], {"prevent_initial_call": True}
    )
    assert (str(output), [str(i) for i in inputs], [str(s) for s in state]) == ("o.children", ["i.value"], ["s.value"])
    assert (list(indices), prevent) == ([0, 1], True)


def test_groupings_flatten_and_map() -> None:
    """dash/_grouping.py; used by ``dash_glue/invocation.py``."""
    assert _grouping.flatten_grouping({"a": 1, "b": (2, 3)}) == [1, 2, 3]
    assert _grouping.map_grouping(lambda index: index + 1, {"a": 0, "b": [1]}) == {"a": 1, "b": [2]}
    assert _grouping.make_grouping_by_index({"a": None}, [7]) == {"a": 7}
    assert _validate.validate_and_group_input_args([1, 2], {"x": 0, "y": 1}) == ([], {"x": 1, "y": 2})


def test_no_update_is_recognised() -> None:
    """dash/_no_update.py."""
    assert NoUpdate.is_no_update(dash.no_update)
    assert not NoUpdate.is_no_update(None)


def test_wildcard_ids_are_written_like_this() -> None:
    """dash/_utils.py, ``stringify_id``: the wire's form of patterns."""
    assert _utils.stringify_id({"b": ALL, "a": 1}) == '{"a":1,"b":["ALL"]}'


def test_a_patch_is_written_like_this() -> None:
    """dash/_patch.py: ``engine.py`` and the page know a Patch by how its JSON begins."""
    patch = dash.Patch()
    patch["a"] = 1
    encoded = _utils.to_json(patch)
    assert encoded.startswith('{"__dash_patch_update"')
    assert orjson.loads(encoded)["operations"] == [{"operation": "Assign", "location": ["a"], "params": {"value": 1}}]


def test_components_are_written_like_this() -> None:
    """dash/development/base_component.py: ``components.py`` knows a component by these three keys."""
    written = orjson.loads(_utils.to_json(html.Div(dcc.Slider(id="s", value=3))))
    assert set(written) == {"props", "type", "namespace"}
    assert written["props"]["children"]["props"] == {"id": "s", "value": 3}


def test_registered_callbacks_are_listed_with_their_id() -> None:
    """dash/_callback.py, ``insert_callback``: the last entry of the list is the one just registered."""
    app = dash.Dash("probe", backend="quart")
    app.callback(Output("o", "children"), Input("i", "value"))(lambda value: value)
    assert app._callback_list[-1]["output"] == "o.children"
    assert "callback" in app.callback_map["o.children"]
    assert isinstance(_callback.GLOBAL_CALLBACK_LIST, list)


def test_scripts_of_the_app_come_before_the_renderer() -> None:
    """dash/dash.py, ``_generate_scripts_html``: our bundle stands in for ``fetch`` before the renderer uses it."""
    source = inspect.getsource(dash.Dash._generate_scripts_html)
    assert source.index("self.scripts.get_all_scripts") < source.index("_dash_renderer._js_dist,")


def test_quart_takes_a_request_that_was_made_by_hand() -> None:
    """quart/wrappers/request.py: the arguments that ``dash_glue/requests.py`` gives."""
    from quart.wrappers import Request

    wanted = ["method", "scheme", "path", "query_string", "headers", "root_path", "http_version", "scope"]
    assert parameters(Request.__init__)[1:9] == wanted
    assert "send_push_promise" in parameters(Request.__init__)


def test_hypercorns_connection_takes_a_reader_and_a_writer() -> None:
    """hypercorn/asyncio/tcp_server.py: ``server.py`` hands accepted connections over."""
    from hypercorn.asyncio.lifespan import Lifespan
    from hypercorn.asyncio.tcp_server import TCPServer

    wanted = ["self", "app", "loop", "config", "context", "state", "reader", "writer"]
    assert parameters(TCPServer.__init__) == wanted
    assert parameters(Lifespan.__init__)[:5] == ["self", "app", "config", "loop", "lifespan_state"]


def test_dash_testing_ends_a_quart_server_by_this_event() -> None:
    """dash/testing/application_runners.py: ``server.py`` puts its own event there."""
    source = Path(dash.__file__).with_name("testing").joinpath("application_runners.py").read_text("utf-8")
    assert '"_ws_shutdown_event"' in source


def test_the_index_is_made_of_these_scripts() -> None:
    """dash/dash.py, ``interpolate_index``: ``dash_glue/gating.py`` reads the hosts in them; what is inline has hashes."""
    app = dash.Dash(
        "probe", external_scripts=["https://a.example/x.js"], external_stylesheets=["https://b.example/x.css"]
    )
    app.layout = html.Div()
    app.clientside_callback("(x) => x", Output("b", "title"), Input("a", "title"))
    assert len(_callback.GLOBAL_INLINE_SCRIPTS) + len(app._inline_scripts) > 0
    scripts, styles = app._generate_scripts_html(), app._generate_css_dist_html()
    assert 'src="https://a.example/x.js"' in scripts
    assert 'href="https://b.example/x.css"' in styles
    inline = re.findall(r"<script>(.*?)</script>", scripts, re.DOTALL)
    assert len(app.csp_hashes()) == len(inline) + 1, "and the renderer"
    source = inspect.getsource(dash.Dash.index)
    assert "self._generate_scripts_html()" in source
    assert "self._generate_css_dist_html()" in source


def test_dev_tools_ask_there_for_newer_versions() -> None:
    """dash/dash.py, ``DASH_VERSION_URL``: ``dash_glue/gating.py`` lets pages with dev tools ask its host."""
    from dash_devices.dash_glue.gating import NEWER

    assert re.fullmatch(r"https://[a-z.-]+(:[0-9]+)?", NEWER)
