"""What one process has seen and done of a stack: by this one resource never ends what another one of the stack owns.

The engine deletes what a failed run left to be deleted in a later run, and knows resources by their place in the
program: two of them can own one thing on the service, and one can go while the other stays.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

__all__ = ["RunState"]


@dataclass
class RunState:
    """What a process has seen and done so far; safe to use from several threads.

    Attributes:
        created: the ids that it has created or taken over.
        owned: the ids that resources of the stack own, those that go too.
        kept: what the program still declares and does not change, by what stands for it: the name of a task, the fields
            of a package. Only a program tells; a refresh and a destroy do not ask it.
        replaced: the ids that it replaces, which are there until what replaces them is.
        names: the stored name of a task by the name that its inputs give now: a replacement that is forced is checked
            without the old inputs.
        retried: the tasks that it has asked to try again.
    """

    created: set[str] = field(default_factory=set)
    owned: set[str] = field(default_factory=set)
    kept: set[Hashable] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    retried: set[str] = field(default_factory=set)
    _locks: defaultdict[Hashable, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def compared(self, id_: str, *, replaces: bool) -> None:
        """Note what a comparison of a resource's state with its inputs said.

        Args:
            id_: what the resource owns.
            replaces: whether it is to be replaced.
        """
        (self.replaced if replaces else self.owned).add(id_)

    def owned_elsewhere(self, id_: str, key: Hashable) -> bool:
        """Return whether a resource that stays owns what another one is about to remove.

        Args:
            id_: what is to be removed.
            key: what stands for it, as in ``kept``.
        """
        return id_ in self.created or (id_ in self.owned and key in self.kept)

    @contextmanager
    def alone(self, key: Hashable) -> Iterator[None]:
        """Let only one at a time look for a thing and then create it."""
        with self._mutex:
            lock = self._locks[key]
        with lock:
            yield
