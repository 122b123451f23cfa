"""A web server on this machine that answers as it is told to: well, half, wrongly or not at all."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
    """One file, the requests that came for it, and how they are answered.

    Attributes:
      content: of the file.
      etag: its version, or None.
      answers: what is done with the first, second, ... request; the last of them with all that follow.
      asked: headers of each request.
      sent: bytes of the file that were sent, over all answers.
    """

    def __init__(self, content: bytes, etag: str | None = '"1"'):
        self.content, self.etag, self.answers = content, etag, [whole]
        self.asked, self.sent, self.url = [], 0, ""

    @property
    def ranges(self) -> list[str | None]:
        """What each request asked for."""
        return [headers.get("Range") for headers in self.asked]


Answer = Callable[[BaseHTTPRequestHandler, Web], None]


@contextlib.contextmanager
def serving(content: bytes, etag: str | None = '"1"') -> Iterator[Web]:
    """A Web at an address of its own."""
    web = Web(content, etag)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # noqa: N802, the base class's name
            web.asked.append(dict(self.headers))
            web.answers[min(len(web.asked), len(web.answers)) - 1](self, web)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        web.url = f"http://127.0.0.1:{server.server_port}/data/file.bin"
        yield web
        server.shutdown()


def whole(handler, web: Web) -> None:
    """The file, or the range of it that is asked for."""
    _send(handler, web)


def cut(after: int) -> Answer:
    """The file or a range of it, of which the connection breaks after so many bytes."""

    def answer(handler, web: Web) -> None:
        _send(handler, web, most=after)

    return answer


def without_ranges(handler, web: Web) -> None:
    """The whole file, whatever was asked for."""
    _send(handler, web, ranges=False)


def cut_without_ranges(after: int) -> Answer:
    """The start of the file, whatever was asked for."""

    def answer(handler, web: Web) -> None:
        _send(handler, web, most=after, ranges=False)

    return answer


def without_length(handler, web: Web) -> None:
    """The file as HTTP/1.0 has it: it ends where the connection does."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(web.content)
    handler.close_connection = True


def status(code: int, **headers: str) -> Answer:
    """A status and no file."""

    def answer(handler, web: Web) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def silence(handler, web: Web) -> None:
    """No answer at all: the connection is closed."""
    handler.close_connection = True


def _send(handler, web: Web, most: int | None = None, ranges: bool = True) -> None:
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    same = handler.headers.get("If-Range") in (None, web.etag)
    start = int(asked[1]) if asked and ranges and same else 0
    body = web.content[start:]
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(web.content) - 1}/{len(web.content)}")
    if web.etag:
        handler.send_header("ETag", web.etag)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    part = body if most is None else body[:most]
    handler.wfile.write(part)
    web.sent += len(part)
    handler.close_connection = len(part) < len(body)
