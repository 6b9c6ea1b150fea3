"""How much one page may ask of the server. Each number is an option of the app."""

from __future__ import annotations

import dataclasses

from .protocol import MAX_CHANGE, MAX_DEPTH, MAX_MESSAGE, MAX_NODES


@dataclasses.dataclass(frozen=True, slots=True)
class PageLimits:
    """What one page may do: ``Dash(page_limits=PageLimits(messages_per_second=500))``.

    Attributes:
        change_bytes: of the values of one change, as JSON; ``max_change=`` raises it for one callback.
        message_bytes: of one message: a request of a regular callback, or a change with the State that travels with it. Pages get
            it in the welcome, and send nothing larger. The server keeps to it under ``app.run()`` only.
        depth: how deep a value may be nested.
        nodes: how many parts a value may have.
        fragments: frames that one message may be cut into, beside one for each 4 KiB of it: browsers cut large ones
            into many. Under ``app.run()`` only.
        messages_per_second: what is taken at most, on and on; a second's worth at once is no flood.
        bytes_per_second: likewise; one message of any size that is allowed may come at once.
        work_per_second: seconds that handling its messages may take of each second.
        flood_seconds: a page that has been slowed for so long is closed with 4429.
        control_per_second: pings and pongs of the transport; one more is closed with 4429. Under ``app.run()`` only.
    """

    change_bytes: int = MAX_CHANGE
    message_bytes: int = MAX_MESSAGE
    depth: int = MAX_DEPTH
    nodes: int = MAX_NODES
    fragments: int = 16
    messages_per_second: float = 2_000.0
    bytes_per_second: float = 8 * 2**20
    work_per_second: float = 0.25
    flood_seconds: float = 10.0
    control_per_second: float = 10.0
