"""The login page: one file without scripts and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5b6675; --line: #cfd6df; --card: #fff; --page: #eef1f5;
  --accent: #1f5fbf; --on-accent: #fff; --bad: #b3261e; --bad-back: #fdecea }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #3a4554; --card: #1a212b;
  --page: #10151c; --accent: #7db0ff; --on-accent: #0b1220; --bad: #ffb4ab; --bad-back: #3b1a18 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 1rem;
  background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { width: 100%; max-width: 23rem; background: var(--card); border: 1px solid var(--line); border-radius: .9rem;
  padding: clamp(1.25rem, 6vw, 2.25rem); box-shadow: 0 1px 2px #0001, 0 12px 32px #0000000f }
h1 { margin: 0; font-size: 1.35rem; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere }
p { margin: .35rem 0 0; color: var(--soft); overflow-wrap: anywhere }
form { margin: 1.5rem 0 0 }
.button + form { margin: 0 }
label { display: block; margin: 1rem 0 .35rem; font-weight: 600; font-size: .9rem }
input { width: 100%; min-height: 2.85rem; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--page);
  border: 1px solid var(--line); border-radius: .55rem }
button, .button { display: block; width: 100%; min-height: 2.85rem; margin-top: 1.5rem; padding: .55rem 1rem; font: inherit;
  font-weight: 600; text-align: center; text-decoration: none; color: var(--on-accent); background: var(--accent);
  border: 1px solid transparent; border-radius: .55rem; cursor: pointer }
.quiet { margin-top: .75rem; color: var(--ink); background: transparent; border-color: var(--line) }
button:hover, .button:hover { filter: brightness(1.08) }
input:focus-visible, button:focus-visible, .button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
[role=alert] { margin-top: 1.25rem; padding: .6rem .8rem; border-radius: .55rem; color: var(--bad); background: var(--bad-back) }
@media (prefers-reduced-motion: no-preference) { button, .button { transition: filter .15s } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The page's own policy: nothing but its style."""


def login_page(title: str, action: str, *, back: str, name: str = "", message: str = "") -> str:
    """The form. ``back``: where to go afterwards; ``message``: what went wrong."""
    alert = f'<p role="alert" id="message">{escape(message)}</p>' if message else ""
    told = ' aria-describedby="message"' if message else ""
    first, second = ("", " autofocus") if name else (" autofocus", "")
    return _page(
        title,
        f"""<h1>{escape(title)}</h1><p>Please log in to go on.</p>{alert}
<form method="post" action="{escape(action)}">
<input type="hidden" name="next" value="{escape(back)}">
<label for="name">Name</label>
<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="200" required{first}{told}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" required{second}{told}>
<button>Log in</button>
</form>""",
    )


def welcome_page(title: str, username: str, *, app: str, logout: str) -> str:
    """For somebody who is logged in."""
    return _page(
        title,
        f"""<h1>{escape(title)}</h1><p>You are logged in as <strong>{escape(username)}</strong>.</p>
<a class="button" href="{escape(app)}">Open</a>
<form method="post" action="{escape(logout)}"><button class="quiet">Log out</button></form>""",
    )


def again_page(location: str) -> str:
    """Asks for the same once more. A strict cookie does not come along when somebody follows a link of another site."""
    return _page("One moment", "<p>One moment …</p>", f'<meta http-equiv="refresh" content="0;url={escape(location)}">')


def _page(title: str, body: str, head: str = "") -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{escape(title)}</title><link rel="icon" href="data:,">{head}
<style>{STYLE}</style></head><body><main>
{body}
</main></body></html>
"""
