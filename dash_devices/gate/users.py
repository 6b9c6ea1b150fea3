"""Who may log in, and the signed cookies that say who did. Hashes are werkzeug's, signatures itsdangerous'."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping

from itsdangerous import BadData, Signer, URLSafeTimedSerializer
from werkzeug.security import check_password_hash, generate_password_hash

from ..identity import Identity

MOST_ENDED = 100_000  # logins that ended before they expired
_HASHING = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in.

    Attributes:
        password: its hash, from ``python -m dash_devices hash-password``.
        roles: names that ``allow=`` and your own code ask for.
        token: the SHA-256 of a token for scripts, from ``python -m dash_devices hash-password --token``.
    """

    password: str | None = None
    roles: Iterable[str] = ()
    token: str | None = None

    def __post_init__(self) -> None:
        if self.password is not None and self.password.count("$") != 2:
            raise ValueError("User: password: expected a hash; make one with python -m dash_devices hash-password")
        if self.token is not None and (len(self.token) != 64 or set(self.token) - set("0123456789abcdef")):
            raise ValueError("User: token: expected a SHA-256; python -m dash_devices hash-password --token makes both")


class Users:
    """The users of an app, and their logins.

    Args:
        given: `User` or the hash of a password, by name. It is read each time: who is taken out of it is out.
        app: names the app, so that the cookies of another one with the same key are none here.
        secret_key: signs the cookies. None: a random one, so that all have to log in again after a restart.
        seconds: how long a login lasts; an attribute, too.
    """

    def __init__(
        self, given: Mapping[str, User | str], *, app: str, secret_key: str | bytes | None, seconds: float
    ) -> None:
        key = secret_key or secrets.token_bytes(32)
        self._given = given
        self.seconds = seconds
        self._cookies = URLSafeTimedSerializer(key, salt=f"dash_devices.login {app}", signer_kwargs=_HASHING)
        marks = Signer(key, salt="dash_devices.password", **_HASHING)  # type: ignore[arg-type]
        self._signature = functools.lru_cache(1_024)(lambda password: marks.get_signature(password).decode())
        self._generations: Counter[str] = Counter()
        self._ended: OrderedDict[str, tuple[str, float]] = OrderedDict()  # by login: its user, and when it would expire
        methods = [user.password.partition("$")[0] for user in map(self.get, given) if user and user.password]
        method = methods[0] if methods else "scrypt"
        self._nobody = generate_password_hash(secrets.token_hex(), method)

    def get(self, name: str) -> User | None:
        """A user by name."""
        user = self._given.get(name)
        return User(user) if isinstance(user, str) else user

    def check_password(self, name: str, password: str) -> bool:
        """Is this his password? As slow for a name that does not exist. Takes tens of ms: for a thread."""
        user = self.get(name)
        known = user.password if user is not None else None
        is_right = check_password_hash(known or self._nobody, password)
        return is_right and known is not None

    def of_token(self, token: str) -> Identity | None:
        """Whose token this is."""
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        found = None
        for name in list(self._given):  # all of them: the time tells nothing
            user = self.get(name)
            if user is not None and hmac.compare_digest(user.token or "", digest):
                found = Identity(name, user.roles, proof=user.token)
        return found

    # ---- cookies -------------------------------------------------------------------------------------------------------
    def new_cookie(self, name: str) -> str:
        """The value of the cookie of a new login."""
        session = secrets.token_urlsafe(12)
        made = self._cookies.dumps({"u": name, "g": self._generations[name], "s": session, "k": self._mark(name)})
        return str(made)

    def of_cookie(self, value: str) -> Identity | None:
        """Who is logged in by this cookie; None if it is forged, expired, revoked, or of somebody who is no user any more."""
        try:
            said, at = self._cookies.loads(value, max_age=int(self.seconds), return_timestamp=True)
            name, generation, session, mark = said["u"], said["g"], said["s"], said["k"]
        except (BadData, KeyError, TypeError):
            return None
        user = self.get(name)
        if user is None or generation != self._generations[name] or session in self._ended:
            return None
        if not hmac.compare_digest(mark, self._mark(name)):
            return None
        return Identity(name, user.roles, at.timestamp() + self.seconds, session, mark)

    def now(self, identity: Identity) -> Identity | None:
        """A login as the users are by now: with the roles of now, or None where it is over. What no login made stays as it is."""
        if identity.proof is None:
            return identity
        user = self.get(identity.username)
        proof = None if user is None else user.token if identity.session is None else self._mark(identity.username)
        if user is None or proof != identity.proof:
            return None
        roles = frozenset(user.roles)
        return identity if roles == identity.roles else dataclasses.replace(identity, roles=roles)

    def revoke(self, name: str) -> None:
        """All logins of this user end."""
        self._generations[name] += 1

    def end(self, session: str, name: str) -> None:
        """One login of a user ends. Where too many have ended to remember them, all those of the user with the oldest do."""
        now = time.time()
        self._ended[session] = name, now + self.seconds
        while self._ended:
            user, expires = next(iter(self._ended.values()))
            if expires >= now and len(self._ended) <= MOST_ENDED:
                return
            self._ended.popitem(last=False)
            if expires >= now:
                self.revoke(user)

    def _mark(self, name: str) -> str:
        """Changes with the password."""
        user = self.get(name)
        return self._signature((user.password if user is not None else None) or "")
