"""The facts of one run of Pulumi about its resources, so that no resource deletes or stops what another one owns.

The engine identifies a resource by its place in the program. A later run carries out the deletions of a failed run. So
two resources can own one thing on the service, and one resource can be deleted while the other stays.

Pulumi starts a process for each explicit provider, one for the default provider, and one for dynamic resources. The
processes of one run share a file (``run_file.py``), because a fact of one process can decide in another process:

- ``created``: a resource created or adopted the thing. The process of another provider does not delete it, and no
  second resource adopts it.
- ``owned``: the program declares the resource that owns the thing, unchanged. No process carries out a deletion of it
  that an earlier run left.
- ``replaced``: the thing exists until its replacement is created. No resource of any provider adopts it.
- ``retried``: a completion has retried the task. No other completion of any provider retries it again.
- The lock of ``alone``: two resources that describe one thing must not both find that it is missing.

Three facts stay in the process, because Pulumi sends the check, the second check of a replacement, and the diff of one
resource to the same provider:

- ``kept``: the keys of what the program declares without a change (the name of a task, the fields of a package). A
  check adds a key, and the diff after that check uses it. A refresh compares too, but without a program.
- ``names``: the stored name of a task, by the name that its inputs have now. If a replacement is forced, the engine
  checks it without the old inputs.
- ``uncompared``: the old inputs of a task that will be replaced, by the name of the new task. A diff removes them. For
  some replacements the engine calls no diff.

A thing is identified by endpoint, project and id, so equal ids in two places are two things. If there is no engine
(tests, mocks, the command line) or no such lock (Windows), everything stays in the memory of the process.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.run_file import RunFile, Unusable, is_supported

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from pulumi_iotda_ota.lifecycle.run_file import Entry

_CREATED, _OWNED, _REPLACED, _RETRIED = "created", "owned", "replaced", "retried"


class Thing(NamedTuple):
    """A task or a package on the service."""

    endpoint: str
    project_id: str
    id: str

    @classmethod
    def at(cls, identity: Mapping[str, str], id_: str) -> Thing:
        """Return the thing with an id, in the place of a connection or of a stored state."""
        return cls(identity.get("endpoint") or "", identity.get("project_id") or "", id_)


class RunState:
    """The facts of a run so far. Safe to use from several threads.

    The shared file is opened when it is first needed.

    Args:
        address: the address of the engine, which identifies the run; empty if there is none.
        environ: the environment variables, which decide the folder of the file.
    """

    def __init__(self, address: str = "", environ: Mapping[str, str] = MappingProxyType({})) -> None:
        self.address, self._environ = address, environ
        self.names: dict[str, str] = {}
        self.uncompared: dict[str, dict[str, Any]] = {}
        self._kept: set[Hashable] = set()
        self._memory: set[Entry] = set()
        self._locks: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)
        self._mutex = threading.Lock()
        self._file: RunFile | None = None
        self._unusable: Unusable | None = None

    def keep(self, key: Hashable) -> None:
        """Record that the program declares something without a change. The key identifies it until its diff."""
        self._kept.add(key)

    def compared(self, thing: Thing, key: Hashable, *, replaces: bool) -> None:
        """Record the result of comparing a resource's state with its inputs."""
        if replaces:
            self._add(_REPLACED, thing)
        elif key in self._kept:
            self._add(_OWNED, thing)

    def replaced(self, identity: Mapping[str, str]) -> set[str]:
        """Return the ids of the things in a place that exist only until their replacements are created."""
        entries = self._entries("cannot check which packages this run replaces")
        return {id_ for kind, *place, id_ in entries if kind == _REPLACED and Thing.at(identity, id_) == (*place, id_)}

    def is_created(self, thing: Thing) -> bool:
        """Return whether a resource of this run has created or adopted a thing."""
        return self._has(_CREATED, thing)

    def note_created(self, thing: Thing) -> None:
        """Record that a resource of this run has created or adopted a thing."""
        self._add(_CREATED, thing)

    def is_first_retry(self, thing: Thing) -> bool:
        """Record a retry of a task, and return whether it is the first of the run. Call it in :meth:`alone`."""
        first = not self._has(_RETRIED, thing)
        self._add(_RETRIED, thing)
        return first

    def owned_elsewhere(self, thing: Thing, *, action: str) -> bool:
        """Return whether another resource owns what a resource is about to remove.

        Args:
            thing: the task or package.
            action: the headline of the error if that is unknown, such as ``package 5c8b… is not deleted``.

        Raises:
            IotdaOtaError: the processes of this run cannot share their facts.
        """
        if self._has(_CREATED, thing) or self._has(_OWNED, thing):
            return True
        self.require_shared(action)
        return False

    def require_shared(self, action: str) -> None:
        """Refuse an action that is only safe if the processes of this run share their facts.

        Raises:
            IotdaOtaError: they cannot share them.
        """
        self._shared()
        if self._unusable:
            raise _refused(action, self._unusable)

    @contextmanager
    def alone(self, *key: str | None) -> Iterator[None]:
        """Run the block while no other resource of the run is in a block with the same key."""
        with self._mutex:
            lock = self._locks[key]
        with lock, ExitStack() as locks:
            shared = self._shared()
            if shared is not None:
                try:
                    locks.enter_context(shared.alone(repr(key)))
                except Unusable as error:
                    raise _refused("cannot check whether another resource creates the same thing now", error) from None
            yield

    def end(self) -> None:
        """Close the file, because the run or this process ends."""
        with self._mutex:
            if self._file:
                self._file.leave()

    def _shared(self) -> RunFile | None:
        """Return the file of the run, or None if there is none or it cannot be used. It is opened at most once."""
        with self._mutex:
            if self.address and self._file is None and self._unusable is None and is_supported():
                try:
                    self._file = RunFile(self.address, self._environ)
                except Unusable as error:
                    self._unusable = error
            return self._file

    def _add(self, kind: str, thing: Thing) -> None:
        entry = (kind, *thing)
        shared = self._shared()
        if shared is None:
            self._memory.add(entry)
            return
        try:
            shared.add(entry)
        except Unusable as error:
            # Without the entry, another process would delete or adopt wrongly. The next run finds what exists.
            raise _refused(f"cannot record that {sanitize(thing.id)} was {kind} in this run", error) from None

    def _has(self, kind: str, thing: Thing) -> bool:
        return (kind, *thing) in self._entries(f"cannot check whether {sanitize(thing.id)} was {kind} in this run")

    def _entries(self, action: str) -> set[Entry]:
        """Return the entries of all processes of the run. ``action`` is the headline of an error."""
        shared = self._shared()
        if shared is None:
            return set(self._memory)  # a copy: another thread may add to it
        try:
            return shared.entries()
        except Unusable as error:
            raise _refused(action, error) from None


def _refused(action: str, error: Unusable) -> IotdaOtaError:
    facts = [
        ("found", error.cause),
        ("cause", "the providers of this run cannot use the file in which they share what they adopt"),
        ("fix", error.fix),
    ]
    return IotdaOtaError(action, facts=facts)
