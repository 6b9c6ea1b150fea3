"""What leans on Dash's internals; beside it only ``app`` does. Read in Dash 4.4.1; ``tests/probes`` says what moved.

- `encoding`: values to JSON the way Dash does it.
- `registration`: the forms of ``callback`` and ``callback_shared``.
- `invocation`: a shared callback called in Dash's callback context, and its results.
- `layout`: the shared state put into what pages are sent.
- `backend`: Dash's Quart backend with our way to run callbacks.
- `requests`: Dash's own requests over the socket.
- `registering`, `pushing`, `gating`, `protecting`, `persisting`: the parts of class ``Dash``, by what they are for.
- `failures`: errors as an id; `compression`: of HTTP.
"""
