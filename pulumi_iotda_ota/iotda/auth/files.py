"""Reads the small text files that other tools write: 1 MiB at most, and none that would keep its reader waiting."""

from __future__ import annotations

from pathlib import Path
from stat import S_ISREG

_MOST_BYTES = 1024 * 1024


class UnreadableError(Exception):
    """Why a file can not be read, as goes behind a colon; what is in it is not told."""


def is_there(path: str) -> bool:
    """Return whether there is a file; a folder, a pipe or a device is none.

    Args:
        path: the file.

    Raises:
        UnreadableError: it can not be told, as below a folder that may not be looked into.
    """
    mode = _mode(path)
    return mode is not None and S_ISREG(mode)


def read_text(path: str) -> str:
    """Return the text of a file, without the byte order mark that some editors put before it.

    Args:
        path: the file.

    Raises:
        UnreadableError: it is not there, no file, no UTF-8 text, larger than 1 MiB, or may not be read.
    """
    mode = _mode(path)
    if mode is None:
        raise UnreadableError("no such file or directory")
    # Not opened before it is known to be a file: a pipe waits for whoever writes to it.
    if not S_ISREG(mode):
        raise UnreadableError("it is no file")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableError(_words(error)) from None
    if len(content) > _MOST_BYTES:
        raise UnreadableError("it is larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("it is no text") from None


def _mode(path: str) -> int | None:
    """Return what kind of thing a path leads to, or None where there is nothing."""
    try:
        return Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableError(_words(error)) from None
    except ValueError:
        raise UnreadableError("its name is none of a file") from None


def _words(error: OSError) -> str:
    return (error.strerror or "the system does not say why").lower()
