"""A bench supply that is not there: speaks SCPI over TCP on a free port, which it prints. The load has 10 ohm."""

import random
import socketserver


class Supply(socketserver.StreamRequestHandler):
    """One connection; the output belongs to the instrument, so all connections see the same voltage."""

    volts = 0.0

    def handle(self) -> None:
        for line in self.rfile:
            answer = self.execute(line.decode("ascii", "replace").strip())
            if answer is not None:
                self.wfile.write(f"{answer}\n".encode())

    def execute(self, command: str) -> str | None:
        """Do what a command says; return the answer of a query."""
        match command.upper().split():
            case ["*IDN?"]:
                return "Example Instruments,PS-1,0001,1.0"
            case ["VOLT", value]:
                Supply.volts = max(0.0, min(12.0, float(value)))
            case ["VOLT?"]:
                return f"{Supply.volts:.3f}"
            case ["MEAS:CURR?"]:
                return f"{Supply.volts / 10 + random.gauss(0, 0.0005):.4f}"
            case _ if command.endswith("?"):
                return '-113,"Undefined header"'
        return None


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Supply) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
