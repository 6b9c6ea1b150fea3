"""Everything that leans on Dash's internals, and nothing else does. Read in Dash 4.4.1; ``tests/probes`` says what moved.

- `encoding`: values to JSON the way Dash does it.
- `registration`: the forms of ``callback`` and ``callback_shared``.
- `invocation`: a shared callback called in Dash's callback context, and its results.
- `layout`: the shared state put into what pages are sent.
- `backend`: Dash's Quart backend with our way to run callbacks, and Dash's own requests over the socket.
"""
