"""All exceptions of Dash and of this package, so that ``dash_devices.exceptions`` can stand in for ``dash.exceptions``."""

from dash.exceptions import *  # noqa: F403
from dash.exceptions import PreventUpdate as PreventUpdate

from .errors import (
    ComponentsError as ComponentsError,
    DashDevicesError as DashDevicesError,
    ModsError as ModsError,
    ProtocolError as ProtocolError,
    RegistrationError as RegistrationError,
    ServerError as ServerError,
    ServiceError as ServiceError,
    TooLargeError as TooLargeError,
    UnserializableError as UnserializableError,
)
