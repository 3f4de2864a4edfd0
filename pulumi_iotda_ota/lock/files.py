"""Where the lock file lies, and how it is read and replaced. Knows nothing of what it holds but how to read it."""

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
# More than a thousand entries with the longest texts that the API takes.
_MOST_BYTES = 16 * 1024 * 1024
# As Pulumi names it.
_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


def lock_path(environ: Mapping[str, str], folder: Path) -> Path:
    """Return where the lock file is looked for; whether it is there is another question.

    Args:
        environ: the environment variables, of which ``PULUMI_IOTDA_OTA_LOCK`` names the file.
        folder: where the program runs.

    Returns:
        The named file, or ``iotda-ota.lock.json``: relative to the folder of Pulumi.yaml, which is looked for from the
        program's folder upwards, or to the program's folder where there is none.

    Raises:
        LockError: the variable names the home folder of nobody, or the program's folder is no more.
    """
    try:
        here = folder.absolute()
    except OSError as error:
        raise LockError(
            f"the lock file cannot be found: {_words(error)}", facts=[("file", sanitize(folder, limit=1_000))]
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
    """Return the file of the Pulumi project that a folder is in, or None where it is in none.

    Args:
        folder: an absolute path.
    """
    return next((file for at in (folder, *folder.parents) if (file := _project_in(at))), None)


def load(path: Path) -> dict[str, Entry] | None:
    """Return the entries of a lock file by name, or None where there is no such file.

    Raises:
        LockError: it cannot be read.
    """
    content = _content(path)
    return None if content is None else _entries(path, content)


def change(path: Path, edit: Callable[[dict[str, Entry]], Mapping[str, Entry]]) -> bool:
    """Replace a lock file by an edited one, and return whether anything was to be changed.

    Writers wait for each other, and each edits what the one before has left. What changes nothing leaves the file as it
    is, byte for byte. The file is never there in part: it is written beside, and then takes the place of the old one.

    Args:
        path: the file, which may be missing yet.
        edit: returns the entries to keep; called with those that are there.

    Raises:
        LockError: it cannot be read or written, or another process has changed it meanwhile.
    """
    path = path.resolve()  # a link stays one
    with _in_words(path), _alone(path.parent) as alone:
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
    except OSError:  # who may not look into a folder above, as in some containers, has no project there
        return None


def _content(path: Path) -> bytes | None:
    """Return what a file holds, or None where there is none."""
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
    """Remove what writers have left that died; nobody else writes while the folder is held."""
    new = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}")
    for left in path.parent.iterdir():
        if new.fullmatch(left.name):
            with contextlib.suppress(OSError):  # it is another user's, or gone
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
        if _content(path) != before:  # by an editor, or git
            raise _changed_meanwhile(path)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Hold the folder, so that one writer at a time changes a file in it; a process that dies lets it go.

    Gives whether it is held. Where there is no such hold (Windows, some file systems) only the comparison before the
    replacement is left.
    """
    try:
        import fcntl  # noqa: PLC0415  there is none on Windows
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
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> LockError:
    return LockError(f"the lock file cannot be used: {_words(error)}", facts=[("file", sanitize(path, limit=1_000))])


def _words(error: OSError) -> str:
    return sanitize(error.strerror or error)


def _changed_meanwhile(path: Path) -> LockError:
    facts = [("file", sanitize(path, limit=1_000)), ("fix", "run it again")]
    return LockError("the lock file was changed by another program meanwhile; it was not overwritten", facts=facts)
