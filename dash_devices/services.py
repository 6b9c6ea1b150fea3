"""Service bits of callbacks and of the server, as the original ``dash_devices`` numbers them."""

from __future__ import annotations

from typing import Final

from .errors import ServiceError


class Services:
    """Bits to combine, and the usual combinations. All are plain ints."""

    PUSHER_UPDATE: Final = 1
    PUSHER_OTHER: Final = 2
    NO_CLIENT_INITIAL_CALLBACK: Final = 4
    SERVER_INITIAL_CALLBACK: Final = 8
    SHARED_CALLBACK: Final = 16
    SERIALIZED_CALLBACK: Final = 32
    SERIALIZED_MOST_RECENT_CALLBACK: Final = 64
    SHARE_WITH_OTHER_CLIENTS: Final = 128

    NORMAL: Final = 0
    S0: Final = 0
    S2: Final = 1 + 32
    SHARED: Final = 1 + 4 + 8 + 16 + 32 + 128
    SHARED_MOST_RECENT: Final = 1 + 4 + 8 + 16 + 64 + 128
    PUSHER_ALL: Final = 3


_NAMES: Final = {
    value: name
    for name, value in vars(Services).items()
    if isinstance(value, int) and value and value & (value - 1) == 0 and name not in ("NORMAL", "S0")
}


def check_service(service: int) -> int:
    """The service itself, or an error that names the bits that clash.

    Raises:
        ServiceError: 32 with 64; 8 or 128 without 16; 16 without 1; bits that do not exist.
    """
    if type(service) is not int or service < 0 or service > 255:
        raise ServiceError(f"service: expected a sum of Services bits (0 to 255), got {service!r}")
    if service & 32 and service & 64:
        raise ServiceError(f"service {service}: {_names(32 | 64)} exclude each other; keep one of them")
    for bit in (8, 128):
        if service & bit and not service & 16:
            raise ServiceError(f"service {service}: {_names(bit)} needs {_names(16)}; add it or use Services.SHARED")
    if service & 16 and not service & 1:
        raise ServiceError(f"service {service}: {_names(16)} needs {_names(1)}; add it or use Services.SHARED")
    return service


def _names(bits: int) -> str:
    return " and ".join(f"{name} ({bit})" for bit, name in sorted(_NAMES.items()) if bits & bit)
