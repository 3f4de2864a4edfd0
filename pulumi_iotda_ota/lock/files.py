"""Finds, reads and replaces the lock file."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_iotda_ota.errors import LockError
from pulumi_iotda_ota.iotda.auth.files import UnreadableError, read_bytes
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lock.format import read, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_iotda_ota.lock.entry import Entry

LOCK_FILE = "iotda-ota.lock.json"
VARIABLE = "PULUMI_IOTDA_OTA_LOCK"
# Room for more than a thousand entries with the longest texts of the API.
_MOST_BYTES = 16 * 1024 * 1024
_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


def lock_path(environ: Mapping[str, str], folder: Path) -> Path:
    """Return the path of the lock file, which need not exist.

    Args:
        environ: the environment variables. ``PULUMI_IOTDA_OTA_LOCK`` names the file; the default is
            ``iotda-ota.lock.json``.
        folder: the folder of the program. A relative path starts at the nearest folder above it that has a Pulumi.yaml,
            or at the folder itself if there is none.

    Raises:
        LockError: the variable names an unknown home folder, or the program's folder was deleted.
    """
    try:
        here = folder.absolute()
    except OSError as error:
        raise LockError(
            f"the lock file cannot be found: {sanitize(error.strerror or error)}",
            facts=[("file", sanitize(folder, limit=1_000))],
        ) from None
    file = project_file(here)
    project = file.parent if file else here
    named = environ.get(VARIABLE, "").strip()
    try:
        return project / (Path(named).expanduser() if named else LOCK_FILE)
    except RuntimeError:
        facts = [(VARIABLE, sanitize(named)), ("fix", "write the whole path")]
        raise LockError("the lock file cannot be found: there is no such home folder", facts=facts) from None


def project_file(folder: Path) -> Path | None:
    """Return the project file in an absolute folder or in the nearest folder above it, or None."""
    return next((file for at in (folder, *folder.parents) if (file := _project_in(at))), None)


def load(path: Path) -> dict[str, Entry] | None:
    """Return the entries of a lock file by name, or None if there is no such file.

    Raises:
        LockError: it cannot be read.
    """
    content = _content(path)
    return None if content is None else _entries(path, content)


def change(path: Path, edit: Callable[[dict[str, Entry]], Mapping[str, Entry]]) -> bool:
    """Edit a lock file, and return whether it was changed.

    Writers wait for each other, and each edits the result of the one before. If nothing changes, the file keeps every
    byte. A new file is written beside the old one and then renamed, so no reader sees a part of it.

    Args:
        path: the file, which need not exist.
        edit: returns the new entries for the current ones.

    Raises:
        LockError: the file cannot be read or written, or another process has changed it meanwhile.
    """
    path = path.resolve()  # so that a link is not replaced
    with _as_lock_errors(path), _alone(path.parent) as alone:
        if alone:
            _sweep(path)
        content = _content(path)
        entries = {} if content is None else _entries(path, content)
        edited = edit(dict(entries))
        if edited == entries:
            return False
        _replace(path, content, written(edited.values()).encode())
    return True


def _project_in(folder: Path) -> Path | None:
    try:
        return next((file for name in _PROJECT_FILES if (file := folder / name).is_file()), None)
    except OSError:  # in some containers a folder above cannot be read
        return None


def _content(path: Path) -> bytes | None:
    """Return the content of a file, or None if it does not exist."""
    try:
        return read_bytes(str(path), most=_MOST_BYTES)
    except UnreadableError as error:
        facts = [("file", sanitize(path, limit=1_000))]
        raise LockError(f"the lock file cannot be used: {error}", facts=facts) from None


def _entries(path: Path, content: bytes) -> dict[str, Entry]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        facts = [("file", sanitize(path, limit=1_000)), ("cause", f"byte {error.start} is not UTF-8")]
        raise LockError("the lock file is damaged", facts=facts) from None
    return read(text, str(path))


def _sweep(path: Path) -> None:
    """Remove the new files of killed writers. The caller holds the folder, so no other writer is at work."""
    new = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}")
    for left in path.parent.iterdir():
        if new.fullmatch(left.name):
            with contextlib.suppress(OSError):  # it belongs to another user, or was removed
                left.unlink()


def _replace(path: Path, before: bytes | None, after: bytes) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        mode = path.stat().st_mode & 0o7777 if before is not None else None
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            new.chmod(mode)
        if _content(path) != before:  # an editor or git has changed it
            raise _changed_meanwhile(path)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Lock the folder for one writer at a time, and yield whether it is locked. A killed process frees it.

    Windows and some file systems have no such lock. There, only the comparison before the replacement is left.
    """
    try:
        import fcntl  # noqa: PLC0415  Windows has no such module
    except ImportError:
        yield False
        return
    held, alone = os.open(folder, os.O_RDONLY), False
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
            alone = True
        yield alone
    finally:
        os.close(held)


@contextlib.contextmanager
def _as_lock_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        facts = [("file", sanitize(path, limit=1_000))]
        raise LockError(f"the lock file cannot be used: {sanitize(error.strerror or error)}", facts=facts) from None


def _changed_meanwhile(path: Path) -> LockError:
    facts = [("file", sanitize(path, limit=1_000)), ("fix", "run it again")]
    return LockError("the lock file was changed by another program meanwhile; it was not overwritten", facts=facts)
