"""Reads the files that other tools write: of bounded size, and none that would keep its reader waiting."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISREG
from typing import Any

_MOST_BYTES = 1024 * 1024
# A file without aliases has fewer than this below 1 MiB. Aliases of aliases can stand for any number of values.
_MOST_NODES = 1_000_000
# If a pipe takes the place of the file after it was looked at, it is opened without waiting for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class UnreadableError(Exception):
    """Why a file cannot be read, as goes behind a colon; what is in it is not told."""


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
    """Return the text of a file of at most 1 MiB, without the byte order mark that some editors put before it.

    Args:
        path: the file.

    Raises:
        UnreadableError: it is not there, no file, no UTF-8 text, larger than 1 MiB, or may not be read.
    """
    content = read_bytes(path, most=_MOST_BYTES)
    if content is None:
        raise UnreadableError("no such file or directory")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("it is no text") from None


def read_bytes(path: str, *, most: int) -> bytes | None:
    """Return what a file holds, or None if there is no such file.

    Args:
        path: the file.
        most: the largest size in bytes.

    Raises:
        UnreadableError: it is no file, larger than that, or may not be read.
    """
    # Opening some devices has an effect, so that the path is looked at before.
    if not is_there(path):
        if _mode(path) is None:
            return None
        raise UnreadableError("it is no file")
    try:
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("it is no file")
            content = file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(_words(error)) from None
    if len(content) > most:
        raise UnreadableError(f"it is larger than {most // (1024 * 1024)} MiB")
    return content


def read_yaml(path: str) -> Any:
    """Return what a YAML file says, every scalar as the text that stands there.

    Aliases are allowed, as Pulumi and the vendor's SDK allow them, up to a bound of what they stand for.

    Args:
        path: the file.

    Raises:
        UnreadableError: it cannot be read, is no YAML, or says something that its other readers take in another way.
    """
    import yaml  # noqa: PLC0415  most connections read no such file

    text = read_text(path)
    try:
        loader = yaml.BaseLoader(text)  # makes texts, lists and mappings only
        node = loader.get_single_node()
        if node is None:
            return None
        _require_bounded(node)
        return loader.construct_document(node)
    except (yaml.YAMLError, RecursionError):
        # Not "from error": its text can repeat a line with a secret.
        raise UnreadableError("it is no YAML") from None


def _require_bounded(root: Any) -> None:
    """Refuse a document that stands for too many values, refers to itself, or has a key twice.

    Every value is visited once, whatever the number of its aliases.
    """
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Any) -> int:
        key = id(node)
        if key in open_nodes:
            raise UnreadableError("it refers to itself")
        if key not in sizes:
            open_nodes.add(key)
            sizes[key] = 1 + sum(map(size, _children(node)))
            open_nodes.remove(key)
            if sizes[key] > _MOST_NODES:
                raise UnreadableError("its aliases stand for too many values")
        return sizes[key]

    size(root)


def _children(node: Any) -> list[Any]:
    """Return the values of a list, or the keys and values of a mapping."""
    if not isinstance(node.value, list):
        return []
    pairs = [pair for pair in node.value if isinstance(pair, tuple)]
    if not pairs:
        return list(node.value)
    names = [key.value for key, _ in pairs if isinstance(key.value, str)]
    if "<<" in names:
        raise UnreadableError("it merges mappings with <<, which is not read here")
    if len(set(names)) < len(names):
        raise UnreadableError("it has a key twice")
    return [part for pair in pairs for part in pair]


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
