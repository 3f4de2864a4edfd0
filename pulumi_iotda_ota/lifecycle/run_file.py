"""The file that all provider processes of one run of Pulumi share. It has entries and locks, not their meaning.

Pulumi starts one process for each explicit provider, one for the default provider and one for dynamic resources. Each
gets the address of the engine. Every operation (preview, update, destroy) has another engine, so the address identifies
the run.

The folder belongs to the user alone. A process that uses the file has a shared lock on it until the process ends. A
process that gets the exclusive lock is the first of its run: it empties a file that a killed run left at the same
address. To join, leave, read or write, a process locks the folder, only for that time.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import stat
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Entry = tuple[str, ...]

_DIGITS = 32
_FOLDER = "pulumi-iotda-ota"
_RUNTIME = "XDG_RUNTIME_DIR"
_TEMPORARY = "TMPDIR"
_READ_AT_ONCE = 1 << 16


def is_supported() -> bool:
    """Return whether this system has file locks. Windows has no such locks."""
    try:
        import fcntl  # noqa: F401, PLC0415  Windows has no such module
    except ImportError:
        return False
    return True


class Unusable(Exception):
    """The shared file cannot be used.

    Attributes:
        cause: the cause, for the error.
        fix: the fix, for the error.
    """

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.cause, self.fix = cause, fix


class RunFile:
    """The entries of one run. Safe to use from several threads and processes.

    Raises:
        Unusable: the folder or the file cannot be used.
    """

    def __init__(self, address: str, environ: Mapping[str, str]) -> None:
        self._name = _digest(address)
        self._path, self._fix = _folder(environ)
        self._mutex = threading.Lock()
        self._entries: set[Entry] = set()
        self._read = 0  # how many bytes of the file have been read
        with self._converting_errors():
            self._folder = _opened_folder(self._path)
            with self._locked():
                self._file = _opened(self._name, self._folder, os.O_APPEND)
                self._join()
                self._sweep()
        atexit.register(self.leave)

    def add(self, entry: Entry) -> None:
        """Add an entry, unless it exists.

        Raises:
            Unusable: it cannot be written.
        """
        with self._converting_errors(), self._locked():
            self._refresh()
            if entry not in self._entries:
                self._append(f"{json.dumps(entry)}\n".encode())
                self._refresh()

    def entries(self) -> set[Entry]:
        """Return all entries, including the newest ones of other processes.

        Raises:
            Unusable: they cannot be read.
        """
        with self._converting_errors(), self._locked():
            self._refresh()
            return set(self._entries)

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Run the block while no other thread or process runs one with the same key.

        Raises:
            Unusable: the lock cannot be taken.
        """
        name = f"{self._name}.{_digest(key)}"
        with self._converting_errors():
            locked = self._lock(name)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._folder)
            os.close(locked)

    def leave(self) -> None:
        """Close the file, and remove it if no other process uses it."""
        atexit.unregister(self.leave)
        with contextlib.suppress(OSError), self._locked():
            if self._file < 0:
                return
            file, self._file = self._file, -1
            with contextlib.suppress(OSError):
                self._remove(file, self._name)
            os.close(file)

    def _join(self) -> None:
        """Take a shared lock on the file. If no other process has one, empty the file first."""
        from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock  # noqa: PLC0415  as in is_supported

        with contextlib.suppress(BlockingIOError):
            flock(self._file, LOCK_EX | LOCK_NB)
            os.ftruncate(self._file, 0)
        flock(self._file, LOCK_SH)

    def _sweep(self) -> None:
        """Remove the files of killed runs: those that no process has locked."""
        for name in os.listdir(self._folder):  # noqa: PTH208  the open folder, because its path can lead to another one now
            if name == self._name:
                continue
            with contextlib.suppress(OSError):  # it is locked, or already gone
                left = _opened(name, self._folder)
                try:
                    self._remove(left, name)
                finally:
                    os.close(left)

    def _remove(self, opened: int, name: str) -> None:
        """Remove a file that no process has locked, unless its name now belongs to another file."""
        from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: PLC0415  as in is_supported

        flock(opened, LOCK_EX | LOCK_NB)
        if os.fstat(opened).st_nlink:
            os.unlink(name, dir_fd=self._folder)

    def _lock(self, name: str) -> int:
        """Return a locked file that still has its name. The process that locked it before removes it at the end."""
        from fcntl import LOCK_EX, flock  # noqa: PLC0415  as in is_supported

        while True:
            opened = _opened(name, self._folder)
            try:
                flock(opened, LOCK_EX)
                if os.fstat(opened).st_nlink:
                    return opened
            except OSError:
                os.close(opened)
                raise
            os.close(opened)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the folder, so that no other thread or process joins, leaves, reads or writes."""
        from fcntl import LOCK_EX, LOCK_UN, flock  # noqa: PLC0415  as in is_supported

        with self._mutex:
            flock(self._folder, LOCK_EX)
            try:
                yield
            finally:
                flock(self._folder, LOCK_UN)

    def _refresh(self) -> None:
        if not os.fstat(self._file).st_nlink:
            raise self._lost("it was removed during the run")
        content = b""
        while piece := os.pread(self._file, _READ_AT_ONCE, self._read + len(content)):
            content += piece
        try:
            self._entries.update(tuple(json.loads(line)) for line in content.splitlines())
        except ValueError:
            raise self._lost("it is damaged") from None
        self._read += len(content)

    def _lost(self, cause: str) -> Unusable:
        # The next run has another file, so the fault is gone.
        return Unusable(f"{self._path}: {cause}", "run pulumi again")

    def _append(self, content: bytes) -> None:
        """Write the whole line, or nothing: a full disk can cut a line."""
        if os.write(self._file, content) < len(content):
            os.ftruncate(self._file, self._read)
            raise OSError("there is no space left on the disk")

    @contextmanager
    def _converting_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unusable(f"{self._path}: {sanitize(error.strerror or error)}", self._fix) from None


def _folder(environ: Mapping[str, str]) -> tuple[Path, str]:
    """Return the folder of the user's runs, and the fix if it is unusable.

    All processes of a run must choose the same folder, so the choice does not depend on whether it can be written. A
    runtime folder that belongs to another user, as after ``su``, is not used.
    """
    runtime, temporary = Path(environ.get(_RUNTIME, "")), Path(environ.get(_TEMPORARY, ""))
    own = "a folder that belongs to you and can be written"
    with contextlib.suppress(OSError):
        if runtime.is_absolute() and runtime.stat().st_uid == os.geteuid():
            fix = f"set {_RUNTIME} to {own}, or unset it and set {_TEMPORARY} to one; then run pulumi again"
            return runtime / _FOLDER, fix
    # Not a relative path: the processes of one run can have different working directories.
    folder = temporary if temporary.is_absolute() else Path("/tmp")  # noqa: S108  the folder in it is the user's alone
    return folder / f"{_FOLDER}-{os.geteuid()}", f"set {_TEMPORARY} to {own}; then run pulumi again"


def _opened_folder(path: Path) -> int:
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return _private(folder)


def _opened(name: str, folder: int, flags: int = 0) -> int:
    return _private(os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600, dir_fd=folder))


def _private(opened: int) -> int:
    """Return an open file or folder, if it belongs to this user alone."""
    found = os.fstat(opened)
    if found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077:
        return opened
    os.close(opened)
    if found.st_uid != os.geteuid():
        raise OSError("it belongs to another user")
    raise OSError(f"other users may use it (mode {stat.S_IMODE(found.st_mode):04o})")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
