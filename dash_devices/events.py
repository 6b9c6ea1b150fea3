"""What is no state of its own: events, which are seen one by one, and values that build on the one before."""

from __future__ import annotations

from collections.abc import Iterable

from .calls import Cause, Item
from .components import Components
from .outbox import EXTENDING
from .shared import Key, SharedMap

COMMANDS = {
    # the component takes it back itself; kept as state, every page that opens later would carry it out again
    "ConfirmDialog": ["displayed"],  # False, once it is answered
    "ConfirmDialogProvider": ["displayed"],
    "Geolocation": ["update_now"],  # False
    "Store": ["clear_data"],  # False
    "AgGrid": [  # None or False, once it is done; columnSize is state: "responsiveSizeToFit" stays
        "deleteSelectedRows",
        "deselectAll",
        "exportDataAsCsv",
        "paginationGoTo",
        "resetColumnState",
        "rowTransaction",
        "scrollTo",
        "selectAll",
        "updateColumnState",
    ],
    "NotificationContainer": ["clean", "cleanQueue", "hideNotifications", "sendNotifications"],  # False or []
    "ModalStack": ["close", "closeAll", "open", "toggle"],  # None or False; what is open is in `state`
    "DrawerStack": ["close", "closeAll", "open", "toggle"],
    "CopyButton": ["triggerCopy"],  # False
    "TableOfContents": ["reinitialize"],  # False
    # never taken back, but every value is one download, and its component does nothing with the one it is born with
    "Download": ["data"],
}
"""Properties that are one-shot commands, by the type of their component, as read in the sources of dash 4.4.1,
dash-ag-grid 35.3.0 and dash-mantine-components 2.8.1. Not here: what stays until somebody changes it, as ``Toast.is_open``,
``Modal.opened`` and the address of a ``Location``; and answers to one page, as ``AgGrid.getRowsResponse``."""

EVENTS = frozenset(
    {*EXTENDING, *(f"{type}.{property}" for type, properties in COMMANDS.items() for property in properties)}
)
"""Properties that are events: of every component, or of those of one type (``Type.property``)."""


class EventProperties:
    """Which properties are events.

    Args:
        more: names beside `EVENTS`, in the same two forms.
        components: knows the types.
    """

    def __init__(self, more: Iterable[str], components: Components) -> None:
        self._names = EVENTS | frozenset(more)
        self._of_types = frozenset(name.rpartition(".")[2] for name in self._names if "." in name)
        self._components = components

    def __contains__(self, key: Key) -> bool:
        return self.has(self._components.type(key[0]) if self.depends_on_type(key) else "", key[1])

    def has(self, type: str, property: str) -> bool:
        """Is it an event of components of this type?"""
        return property in self._names or f"{type}.{property}" in self._names

    def depends_on_type(self, key: Key) -> bool:
        """Does the component have to be known to tell?"""
        return key[1] in self._of_types

    def caused(self, items: Iterable[Item], cause: Cause) -> list[Item]:
        """The values without the events that nobody caused; points are part of a figure, so they stay."""
        if not cause.quiet:
            return list(items)
        return [item for item in items if item.key not in self or item.key[1] in EXTENDING]

    def forget(self, shared: SharedMap, ids: Iterable[str]) -> None:
        """These components are known now: what was kept for them, while nobody knew that it was an event, is no state."""
        for id in ids:
            for entry in shared.of(id):
                if entry.key in self:
                    shared.blank(entry.key)


def is_building(item: Item) -> bool:
    """Does the new value build on the one before (a Patch, points for a figure)?"""
    return item.key[1] in EXTENDING or item.encoded.startswith(b'{"__dash_patch_update"')
