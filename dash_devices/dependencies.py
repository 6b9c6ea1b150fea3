"""Dash's dependency classes, with an `Output` that can carry a value."""

from __future__ import annotations

from typing import Any

from dash import dependencies as _dependencies
from dash.dependencies import (
    ALL as ALL,
    ALLSMALLER as ALLSMALLER,
    MATCH as MATCH,
    ClientsideFunction as ClientsideFunction,
    DashDependency as DashDependency,
    Input as Input,
    Output as DashOutput,
    State as State,
)

NO_VALUE: Any = type("NO_VALUE", (), {"__repr__": lambda self: "NO_VALUE", "__bool__": lambda self: False})()


class Output(DashOutput):
    """An Output; with a third argument it is an alternative result: ``return Output("message", "children", "Wrong!")``.

    Args:
        component_id: a component's id, or the component.
        component_property: the property.
        component_value: the value to write there, when it is returned or pushed.
        allow_duplicate: in a declaration: another callback may write this property too.
    """

    def __init__(
        self,
        component_id: Any,
        component_property: str,
        component_value: Any = NO_VALUE,
        *,
        allow_duplicate: bool = False,
    ) -> None:
        super().__init__(component_id, component_property, allow_duplicate)
        self.component_value = component_value

    @property
    def has_value(self) -> bool:
        """Does it carry a value?"""
        return self.component_value is not NO_VALUE


def __getattr__(name: str) -> Any:
    """Everything else of ``dash.dependencies``."""
    return getattr(_dependencies, name)
