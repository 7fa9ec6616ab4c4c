"""The floors: errors <- core <- wire <- net, state, sim <- gossip_tui.feed <- the rest of gossip_tui."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = {
    "protocol.errors": set[str](),
    "protocol.text": set[str](),
    "protocol.core": {"protocol.errors", "protocol.text"},
    "protocol.wire": {"protocol.errors", "protocol.text", "protocol.core"},
    "protocol.net": {"protocol.errors", "protocol.text", "protocol.core", "protocol.wire", "protocol.state"},
    "protocol.state": {"protocol.errors", "protocol.text", "protocol.core", "protocol.wire"},
    "protocol.sim": {"protocol.errors", "protocol.text", "protocol.core", "protocol.wire"},
}
"""What each floor may import beside itself; ``protocol`` itself is the façade over all of them."""

BLOCKED_IN_CORE = ("asyncio", "socket", "time", "random", "logging", "msgpack")
FOREIGN_TO_PROTOCOL = {"textual", "click", "rich"}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def is_typing_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports_of(module: str, path: Path) -> Iterator[str]:
    """Full names of what a module imports when it runs, wherever in it; not what is for type checkers."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and is_typing_guard(node):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))


def floor_of(name: str) -> str:
    return ".".join(name.split(".")[:2])


def test_the_reader_of_imports_sees_every_form(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import a.b, c\n"
        "from . import d\n"
        "from ..e import f\n"
        "if TYPE_CHECKING:\n    import hidden\nelse:\n    import g\n"
        "def late():\n    from h import i\n"
    )
    found = set(imports_of("top.mid.module", path))
    assert found == {"a.b", "c", "top.mid.d", "top.e.f", "g", "h.i"}


@pytest.mark.parametrize("floor", sorted(FLOORS))
def test_each_floor_of_protocol_stands_on_lower_ones_only(floor: str) -> None:
    allowed = FLOORS[floor] | {floor}
    wrong = [
        f"{module} imports {name}"
        for module, path in modules("protocol")
        if floor_of(module) == floor
        for name in imports_of(module, path)
        if name.split(".")[0] == "protocol" and floor_of(name) not in allowed
    ]
    assert not wrong


def test_every_module_of_protocol_is_on_a_floor() -> None:
    assert {floor_of(module) for module, _ in modules("protocol")} <= {"protocol", *FLOORS}


def test_protocol_never_imports_the_terminal() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in modules("protocol")
        for name in imports_of(module, path)
        if name.split(".")[0] in FOREIGN_TO_PROTOCOL | {"gossip_tui"}
    ]
    assert not wrong


def test_no_core_module_imports_clocks_dice_sockets_or_logs() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in modules("protocol")
        if floor_of(module) == "protocol.core"
        for name in imports_of(module, path)
        if name.split(".")[0] in BLOCKED_IN_CORE
    ]
    assert not wrong


def test_the_feed_of_the_terminal_stands_below_everything_that_draws() -> None:
    path = ROOT / "gossip_tui" / "feed.py"
    names = list(imports_of("gossip_tui.feed", path))
    assert not [name for name in names if name.split(".")[0] in FOREIGN_TO_PROTOCOL]
    assert not [
        name
        for name in names
        if name.startswith(("gossip_tui.widgets", "gossip_tui.screens", "gossip_tui.app"))
    ]


def test_widgets_and_drawing_never_see_a_socket_or_a_machine() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in modules("gossip_tui")
        if module.startswith(("gossip_tui.widgets", "gossip_tui.screens", "gossip_tui.drawing"))
        for name in imports_of(module, path)
        if name.startswith(("protocol.net", "protocol.wire", "protocol.core.machine", "protocol.Node"))
    ]
    assert not wrong


IMPORT_CORE_WITHOUT = """
import importlib, pkgutil, sys
blocked = set(sys.argv[1].split(","))
for name in [name for name in sys.modules if name.split(".")[0] in blocked]:
    del sys.modules[name]

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Refusal())
import protocol.core
for module in pkgutil.walk_packages(protocol.core.__path__, "protocol.core."):
    importlib.import_module(module.name)
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_whole_core_is_imported_with_the_operating_system_blocked() -> None:
    result = run_python(IMPORT_CORE_WITHOUT, ",".join(BLOCKED_IN_CORE))
    assert result.returncode == 0, result.stderr


def test_blocking_bites() -> None:
    result = run_python(IMPORT_CORE_WITHOUT + "\nimport protocol.net.node", ",".join(BLOCKED_IN_CORE))
    assert result.returncode == 1
    assert "is blocked" in result.stderr


def test_importing_protocol_loads_neither_sockets_nor_asyncio() -> None:
    result = run_python("import sys, protocol; print({'asyncio', 'socket', 'msgpack'} & set(sys.modules))")
    assert result.stdout.strip() == "set()", result.stderr
