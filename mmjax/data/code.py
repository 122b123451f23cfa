"""A hash of the source that prepares data: what other code prepared is prepared again."""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


@functools.cache
def code_of_data() -> str:
    """Twelve hex digits of the SHA-256 of every file of `sources_of`, with its place."""
    return hash_of(PACKAGE)


def hash_of(package: Path) -> str:
    """`code_of_data` of a package in the folder `package`."""
    total = hashlib.sha256()
    for path in sources_of(package):
        total.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:12]


def sources_of(package: Path) -> list[Path]:
    """All source below `package`/data, the checksums of its downloads, and what of the package that source imports,
    directly or by way of others.
    """
    found, waiting = set(), sorted((package / "data").rglob("*.py"))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imports(path, package)
    return sorted(found | set((package / "data").rglob("*.tsv")))


def _imports(path: Path, package: Path) -> Iterator[Path]:
    """The package's files that an import in this one runs: a module's, and those of the packages around it."""
    here = path.relative_to(package.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            modules = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            outer = here[: len(here) - node.level + 1] if node.level else ()
            base = outer + tuple((node.module or "").split("."))
            modules = [base + (alias.name,) for alias in node.names]  # what is imported may be a module, or lie in one
        else:
            continue
        for parts in modules:
            parts = tuple(filter(None, parts))
            if parts[0] == package.name:
                places = [package.parent.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
                files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
                yield from filter(Path.is_file, files)
