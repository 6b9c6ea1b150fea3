"""A client without a browser, written from PROTOCOL.md alone: `run` it as a task; once `ready`: `get` and `change`."""

import asyncio, contextlib, json, random, time, zlib  # noqa: E401, I001
from typing import Any
import websockets


class Client:
    def __init__(self, url: str) -> None:  # ws://host:port/_dash-devices/socket
        self.url, self.page, self.line, self.ready = url, f"{random.getrandbits(64):x}", None, asyncio.Event()
        self.place: dict[str, Any] = {"epoch": "", "seq": 0}  # of no life of the server: all shared values will follow
        self.held: dict[Any, Any] = {}  # (id, property) -> seq and value, as the server has them
        self.pending, self.n, self.sent, self.limit = dict[int, Any](), 0, 0, 0  # changes without an answer, by number

    async def run(self) -> None:  # a lost line is opened again and goes on where it was, unless its code is final
        while not (self.line and self.line.close_code in (4401, 4403, 4409, 4426)):
            with contextlib.suppress(websockets.WebSocketException, OSError):  # nobody there, a broken line, or silence
                async with websockets.connect(self.url, compression=None, max_size=None) as self.line:
                    await self.send("hello", version=1, page=self.page, build="", at=time.time() * 1000, **self.place)
                    while True:  # the server speaks every 5 s: after 9 s without a word the line is dead
                        frame = json.loads(await asyncio.wait_for(self.line.recv(), 9))
                        for message in frame if isinstance(frame, list) else [frame]:
                            await self.handle(**message)
            self.limit = 0  # changes wait for the next welcome
            await asyncio.sleep(2 * random.random())

    async def handle(self, type: str, seq: int = 0, n: int = 0, **more: Any) -> None:
        if type == "welcome":
            self.place |= {key: more[key] for key in ("tab", "token", "epoch")}
            self.limit, self.sent = more["limits"]["unacked"], more["handled"]
            if more["mode"] == "snapshot":  # a life that knows nothing of our changes: they are not confirmed, and gone
                self.place["seq"], self.held, self.pending, self.n = 0, {}, {}, self.sent
        elif type == "mods":  # a value may be Dash's Patch, which we keep as it is; the events are for those who draw
            self.held |= {(id, prop): ([*own, seq][0], value) for id, prop, value, *own in more["mods"]}
            self.place["seq"] = seq
            await self.send("applied", seq=seq)  # rule 9; every fourth time would do
        elif type in ("ack", "nack") and (change := self.pending.pop(n, None)):  # again after a resume: no news then
            for id, prop, value in change["values"] if type == "ack" else more["values"]:
                self.held[id, prop] = (seq if type == "ack" else self.held.get((id, prop), [0])[0], value)
        elif type == "ping":  # it ends what follows the welcome
            marks = [f"{id}.{prop}:{own}".encode() for (id, prop), (own, _) in self.held.items() if own]  # rule 10
            check = {"hash": sum(map(zlib.crc32, marks)) % 2**32} if more["check"] else {}
            await self.send("pong", seq=self.place["seq"], at=time.time() * 1000, **check)
            self.ready.set()
        while (n := self.sent + 1) in list(self.pending)[: self.limit]:  # rules 4 and 7: in order, again after a resume
            self.sent = n
            await self.send("change", **self.pending[n])

    async def send(self, type: str, **fields: Any) -> None:
        await self.line.send(json.dumps({"type": type, **fields}))

    async def change(self, id: str, prop: str, value: Any) -> None:
        self.n += 1
        self.pending[self.n] = {"n": self.n, "values": [(id, prop, value)], "state": [], "at": time.time() * 1000}
        with contextlib.suppress(websockets.ConnectionClosed):  # it goes out on the next line
            await self.handle("")

    def get(self, id: str, prop: str) -> Any:  # rule 3: our own change is shown until it is answered
        values = (triple for change in self.pending.values() for triple in change["values"])
        return {(i, p): v for i, p, v in values}.get((id, prop), self.held.get((id, prop), (0, None))[1])
