"""Who gets in. One gate for every route and socket, deny by default; see docs/security.md.

`door` (ASGI) and the bare listener ask `gate`, which asks `rules` (name, origin, form), `places` (how many) and the
authenticate functions; `login` is one of those. `headers` go on every response.
"""
