"""Generate docs/errors.md from the error classes: when, fix, attributes, and the message of a real error."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from docs.generate.markdown import code, table, wrapped
from docs.generate.samples import samples
from pulumi_iotda_ota import errors
from pulumi_iotda_ota.iotda.http import hints
from pulumi_iotda_ota.iotda.references import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOP = """# Errors

Every error of this library is an `IotdaOtaError`. Pulumi prints it as one message without a traceback. The first line
says what failed. The lines below it have labels:

- `requested`: the arguments as `name=value`, as you can copy them.
- `found`: what exists. Counts by rule name the argument that skips a package: `version_constraint 24`.
- `nearest`: what is nearest to a match.
- `cause`: the probable reason.
- `fix`: a command or an argument that works for this input.

Python names arguments as `package_id`, the plugin as `packageId`, the command line as `--package-id`. Texts of the
service, keys of files and names of variables are printed unchanged.

Search this page for the first line of your message. [Troubleshooting](troubleshooting.md) starts from what you see
instead. The page is generated from the code (`make docs`), and the messages are real output.

"""
_CATCHING = """
In a program, catch the class, and read its attributes instead of its text:

<!-- plain -->
```python
import pulumi_iotda_ota as iotda_ota

try:
    iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="smart-meter", version="V9")
except iotda_ota.PackageNotFound as error:
    print(error.headline)
```

<!-- prints -->
```text
no OTA package matches
```

A program can catch the errors of a constructor. Pulumi prints all other errors of resources and of the plugin.
In every class, `headline` is the first line, `facts` are the labelled lines as pairs, and `str(error)` is the message.
"""
_CODES = """
## Known codes

If the service, its gateway or IAM refuses a request with a code of this table, the message has its text. If it
throttles requests (429, or 403 with `IOTDA.021101` or `IOTDA.021102`), the library waits first. Then the fix is:
{throttled}.

"""


def page() -> str:
    """Return the page."""
    messages = samples()
    sections = [_section(kind, messages[kind.__name__]) for kind in _classes()]
    return "".join([_TOP, _overview(messages), _CATCHING, *sections, _codes()])


def _classes() -> list[type[errors.IotdaOtaError]]:
    """Return every class below the base, in the order of the tree in the module's docstring."""
    tree = str(errors.__doc__)
    kinds = [getattr(errors, name) for name in errors.__all__ if name != "IotdaOtaError"]
    return sorted(kinds, key=lambda kind: tree.index(f"── {kind.__name__} "))


def _overview(messages: Mapping[str, str]) -> str:
    rows = [
        (f"[`{name}`](#{name.lower()})", kind.when, code(messages[name].partition("\n")[0]))
        for kind in _classes()
        for name in [kind.__name__]
    ]
    return table(("error", "when", "first line, for example"), rows)


def _section(kind: type[errors.IotdaOtaError], message: str) -> str:
    others = [base.__name__ for base in kind.__bases__ if base is not errors.IotdaOtaError]
    also = f" You can also catch it as {' or as '.join(map(code, others))}." if others else ""
    lines = [
        f"\n## {kind.__name__}\n",
        wrapped(f"**When.** {kind.when}{also}"),
        wrapped(f"**Fix.** {_sentence(kind.remedy)}"),
    ]
    attributes = list(_attributes(kind))
    if attributes:
        lines.append("\n".join(["**Attributes**\n", *attributes, ""]))
    return "\n".join([*lines, f"<!-- made by the code -->\n```text\n{message}\n```\n"])


def _sentence(text: str) -> str:
    text = text.replace("docs/credentials.md", "[credentials](credentials.md)")
    return text[0].upper() + text[1:].rstrip(".") + "."


def _attributes(kind: type[errors.IotdaOtaError]) -> Iterator[str]:
    """Yield each attribute beside the text, with its meaning from the docstring."""
    own = [name for name in inspect.signature(kind).parameters if name not in ("headline", "facts")]
    documented = next((str(base.__doc__) for base in kind.__mro__ if "Args:" in str(base.__doc__)), "")
    for name in own:
        found = re.search(rf"^ +{name}: (.*?)\.\n(?= +\w+: |\s*$)", documented + "\n", re.MULTILINE | re.DOTALL)
        if not found:
            raise ValueError(f"{kind.__name__}.{name} is not documented")
        meaning = " ".join(found[1].replace("``", "`").split())
        yield wrapped(f"- {code(name)}: {meaning}.").rstrip()


def _codes() -> str:
    rows = [(code(name), label, render(advice)) for name, (label, advice) in sorted(hints.BY_CODE.items())]
    top = _CODES.format(throttled=hints.TOO_FAST[1])
    return top + table(("code", "label", "text"), rows)
