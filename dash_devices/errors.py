"""The errors of this package.

::

    DashDevicesError
    |-- RegistrationError (ValueError)      a shared callback that cannot work
    |   `-- ServiceError                    service bits that contradict each other
    |-- ModsError (TypeError)               mods of the wrong shape
    |   |-- UnserializableError             a value that has no JSON form
    |   |-- TooLargeError                   a value with too long a JSON form
    |   `-- ComponentsError                 a value with components that are plain data
    |-- ProtocolError (ValueError)          a frame that breaks PROTOCOL.md
    |   `-- TooComplexError                 a frame with more in it than may be allocated
    `-- ServerError (RuntimeError)          the server cannot run as asked
"""


class DashDevicesError(Exception):
    """Base of the errors of this package; a wrong argument of its small classes is a plain ``ValueError`` or ``TypeError``."""


class RegistrationError(DashDevicesError, ValueError):
    """A shared callback that cannot work, found when it is registered."""


class ServiceError(RegistrationError):
    """Service bits that contradict each other."""


class ModsError(DashDevicesError, TypeError):
    """Mods of the wrong shape, found at the call of ``push_mods``."""


class UnserializableError(ModsError):
    """A value that has no JSON form. Names the component id, the property and the type."""


class TooLargeError(ModsError):
    """A value with more JSON than every page is to hold. Names the component id, the property and the sizes."""


class ComponentsError(ModsError):
    """A value for several pages with components, or a Patch, that are plain data. Names id, property and path."""


class ProtocolError(DashDevicesError, ValueError):
    """A frame that breaks ``PROTOCOL.md``. ``code`` is the close code it deserves."""

    def __init__(self, message: str, code: int = 4400) -> None:
        super().__init__(message)
        self.code = code


class TooComplexError(ProtocolError):
    """A frame with more in it than may be allocated, or nested too deeply. It was not decoded.

    Attributes:
        kind, number: type of the message, and its ``n`` or ``ref``, where its first bytes tell; else empty and 0.
    """

    def __init__(self, kind: str = "", number: int = 0) -> None:
        super().__init__("frame: expected fewer parts, nested less deeply; send less at once")
        self.kind = kind
        self.number = number


class ServerError(DashDevicesError, RuntimeError):
    """The server cannot run as asked: port in use, several workers, no event loop."""
