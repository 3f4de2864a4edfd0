"""As much of HashiCorp Vault as Pulumi needs to keep the key of a stack: its engine `transit`.

From a passphrase Pulumi derives a key in every command, which is meant to take long: a seventh of a short command. With
Vault it sends one request. What it encrypts in the state and the configuration, and how, is the same.
"""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PROVIDER", "running"]

PROVIDER = "hashivault://tests"
TOKEN = "token-of-the-tests"
# Vault marks what it has encrypted so. Here nothing else is done to it: all that it gets is a random key.
_MARK = "vault:v1:"


class _Transit(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        """Encrypt or decrypt the key of a stack."""
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = {
            "/v1/transit/encrypt/tests": lambda: {"ciphertext": _MARK + sent["plaintext"]},
            "/v1/transit/decrypt/tests": lambda: {"plaintext": sent["ciphertext"].removeprefix(_MARK)},
        }
        allowed = self.path in answers and self.headers["X-Vault-Token"] == TOKEN
        body = json.dumps({"data": answers[self.path]()} if allowed else {"errors": ["refused"]}).encode()
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """Run it, and give the variables that lead Pulumi to it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Transit) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield {"VAULT_SERVER_URL": address, "VAULT_ADDR": address, "VAULT_SERVER_TOKEN": TOKEN, "VAULT_TOKEN": TOKEN}
        server.shutdown()
        thread.join()
