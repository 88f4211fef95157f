"""The house rules of docs/design.md and CONTRIBUTING.md, read off the syntax trees of stack/.

Each test collects every violation, so that its message is the list of places.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES = 450
FUNCTION_LINES = 60

# From the ground up; a module imports from its own layer and from those below.
LAYERS = (
    ("formats and addresses", ("errors", "address", "wire")),
    (
        "mechanisms",
        (
            "bucket",
            "calls",
            "counters",
            "discard",
            "edge",
            "events",
            "eviction",
            "explain",
            "journal",
            "multicast_filter",
            "settings",
            "timers",
        ),
    ),
    ("protocols", ("ip6", "icmp6", "nd", "mld", "udp")),
    ("interface and host", ("documents", "host", "interface", "route_documents", "snapshot")),
    ("links and captures", ("capture", "link", "recorder")),
    ("virtual time", ("fuzz", "replay", "sim")),
    (
        "the edge",
        ("aim", "control", "doctor", "hosting", "lab", "links", "realtime", "report", "runtime", "sockets"),
    ),
    ("command line", ("cli",)),
)
RANKS = {name: rank for rank, (_, names) in enumerate(LAYERS) for name in names}
HOST_RANK = RANKS["host"]
EDGE_RANK = RANKS["runtime"]
# Without I/O though above the host: they run in virtual time.
ALSO_SANS_IO = (
    "stack.sim",
    "stack.link.switch",
    "stack.link.snooping",
    "stack.link.listening",
    "stack.link.impairment",
    "stack.capture.dissect",
    "stack.capture.host_trace",
    "stack.capture.linktypes",
    "stack.capture.readdress",
    "stack.capture.writing",
    "stack.fuzz.chance",
    "stack.fuzz.on_",
    "stack.recorder.findings",
    "stack.recorder.history",
    "stack.recorder.replaying",
    "stack.recorder.ring",
    "stack.recorder.story",
    "stack.recorder.why",
    "stack.replay.compare",
    "stack.replay.legality",
    "stack.replay.messages",
    "stack.replay.tables",
    "stack.doctor",
)
# What the sans-IO part may use of the world. A clock, a descriptor and chance are not among it.
PURE = frozenset(
    (
        *("abc", "bisect", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "hashlib"),
        *(
            "heapq",
            "hmac",
            "ipaddress",
            "itertools",
            "math",
            "operator",
            "pickle",
            "re",
            "string",
            "struct",
            "textwrap",
        ),
        *("types", "typing", "zlib", "construct", "stack"),
    )
)
# The one generator is handed in, so its type may be named; octets are read like a file; addresses are parsed and
# printed by the C library.
PURE_NAMES = {
    "inspect": {"signature"},
    "io": {"BytesIO"},
    "random": {"Random"},
    "socket": {"AF_INET6", "inet_ntop", "inet_pton"},
}
IMPURE_BUILTINS = frozenset(("open", "print", "input", "breakpoint", "exec", "eval"))


class Module:
    """A file of stack/ with its dotted name, text and tree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.package = path.name == "__init__.py"
        parts = path.relative_to(ROOT).with_suffix("").parts
        self.name = ".".join(parts[:-1] if self.package else parts)
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text, str(path))

    def place(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    @property
    def sans_io(self) -> bool:
        return rank(self.name) <= HOST_RANK or self.name.startswith(ALSO_SANS_IO)


@cache
def modules() -> tuple[Module, ...]:
    return tuple(Module(path) for path in sorted((ROOT / "stack").rglob("*.py")))


def rank(name: str) -> int:
    """The layer of a dotted name in stack; -1 for the package itself."""
    parts = name.split(".")
    return RANKS[parts[1]] if len(parts) > 1 else -1


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """The tree without what is there for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from executed(child)


def imports(module: Module, *, lazy: bool = True) -> Iterator[tuple[ast.AST, str, str]]:
    """(node, module, name or "") of each import; without `lazy` only those at the top of the file."""
    nodes = executed(module.tree) if lazy else (n for n in module.tree.body if not is_type_checking(n))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node, "." * node.level + (node.module or ""), alias.name


def imported_modules(module: Module, *, lazy: bool = True) -> Iterator[tuple[ast.AST, str]]:
    """(node, dotted name) of the modules of stack that are imported."""
    known = {each.name for each in modules()}
    for node, source, name in imports(module, lazy=lazy):
        if source.split(".")[0] == "stack":
            full = f"{source}.{name}"
            yield node, full if full in known else source


def test_every_module_has_its_layer() -> None:
    strays = {each.name.split(".")[1] for each in modules() if "." in each.name} - set(RANKS)
    assert not strays, f"give these a layer in tests/test_house.py and in docs/design.md: {strays}"


def test_imports_go_one_way() -> None:
    wrong = [
        f"{module.place(node)}: {LAYERS[rank(module.name)][0]} imports {target} from {LAYERS[rank(target)][0]}"
        for module in modules()
        if module.name != "stack"
        for node, target in imported_modules(module)
        if rank(target) > rank(module.name)
    ]
    assert not wrong, "\n".join(wrong)


def test_imports_are_absolute() -> None:
    wrong = [module.place(node) for module in modules() for node, source, _ in imports(module) if source[:1] == "."]
    assert not wrong, "\n".join(wrong)


def test_no_import_cycles() -> None:
    graph = {each.name: {target for _, target in imported_modules(each, lazy=False)} for each in modules()}
    while True:
        leaves = [name for name, targets in graph.items() if not targets & graph.keys()]
        if not leaves:
            break
        for name in leaves:
            del graph[name]
    in_cycles = {name: sorted(targets & graph.keys()) for name, targets in graph.items()}
    assert not in_cycles, f"modules in an import cycle, or above one: {in_cycles}"


def test_the_core_is_sans_io() -> None:
    wrong = []
    for module in modules():
        if not module.sans_io:
            continue
        for node, source, name in imports(module):
            top = source.split(".")[0]
            if top not in PURE and name not in PURE_NAMES.get(top, ()) and not _only_pure_uses(module, source):
                wrong.append(f"{module.place(node)}: {source} {name}".rstrip())
        wrong += [
            f"{module.place(node)}: {node.func.id}()"
            for node in executed(module.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS
        ]
    assert not wrong, "a clock, chance or I/O in the sans-IO part:\n" + "\n".join(wrong)


def _only_pure_uses(module: Module, source: str) -> bool:
    """Whether `import source` is used for the names of PURE_NAMES alone."""
    uses = {
        node.attr
        for node in executed(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == source
    }
    return source in PURE_NAMES and uses <= PURE_NAMES[source]


def test_trio_stays_at_the_edge() -> None:
    wrong = [
        module.place(node)
        for module in modules()
        for node, source, _ in imports(module)
        if source.split(".")[0] == "trio" and rank(module.name) < EDGE_RANK
    ]
    assert not wrong, "\n".join(wrong)


def test_assert_validates_nothing() -> None:
    wrong = [m.place(node) for m in modules() for node in ast.walk(m.tree) if isinstance(node, ast.Assert)]
    assert not wrong, "\n".join(wrong)


def test_no_except_swallows_everything() -> None:
    wrong = [
        module.place(node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or {"Exception", "BaseException"} & names_in(node.type))
        and not _only_cleans_up(module, node)
    ]
    assert not wrong, "a bare or blanket except:\n" + "\n".join(wrong)


def _only_cleans_up(module: Module, handler: ast.ExceptHandler) -> bool:
    """Outside the sans-IO part a handler may clean up after whatever it was, if it raises it again."""
    last = handler.body[-1]
    return not module.sans_io and isinstance(last, ast.Raise) and last.exc is None


def names_in(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def test_no_module_bears_a_standard_library_name() -> None:
    wrong = [each.name for each in modules() if each.name.split(".")[-1] in sys.stdlib_module_names]
    assert not wrong, "\n".join(wrong)


ALLOWED_IN_PACKAGES = ("TYPE_CHECKING", "__all__", "__version__")


def test_packages_hold_no_logic() -> None:
    wrong = [
        module.place(node)
        for module in modules()
        if module.package
        for node in module.tree.body
        if not (
            isinstance(node, ast.Import | ast.ImportFrom)
            or is_type_checking(node)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ALLOWED_IN_PACKAGES)
            # What `stack` itself offers is imported at first use.
            or (module.name == "stack" and isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_is() -> None:
    wrong = [module.name for module in modules() if not ast.get_docstring(module.tree)]
    assert not wrong, "\n".join(wrong)


def test_files_are_short() -> None:
    lengths = {module.name: module.text.count("\n") for module in modules()}
    wrong = {name: length for name, length in lengths.items() if length > FILE_LINES}
    assert not wrong


def test_functions_fit_a_screen() -> None:
    wrong = [
        f"{module.place(node)}: {node.name} has {lines} lines"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not wrong, "\n".join(wrong)


@cache
def published_files() -> tuple[Path, ...]:
    """What the repository holds: git's list, or without git the text files of the project's folders."""
    # A checkout may belong to somebody else than who runs its tests.
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        folders = [ROOT / name for name in ("stack", "tests", "tools", "docs", ".ci")]
        nested = [path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts]
        return tuple(path for path in (*ROOT.glob("*"), *nested) if path.is_file())
    return tuple(path for path in (ROOT / name for name in listed if name) if path.is_file())


# In pieces, so that this file does not hold what it looks for.
@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a path of one machine", r"(?<![\w.*-])/(?:" + "|".join(("home", "Users", "root", "work")) + r")/\w"),
        ("a host of a package registry", "|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "index-" + "url"))),
        ("a path out of the checkout", r"\.\./" + "shared"),
    ],
)
def test_files_speak_of_the_project_alone(what: str, pattern: str) -> None:
    expression = re.compile(pattern)
    wrong = []
    for path in published_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:  # a capture, a picture
            continue
        wrong += [
            f"{path.relative_to(ROOT)}:{n}: {line.strip()}"
            for n, line in enumerate(lines, 1)
            if expression.search(line)
        ]
    assert not wrong, f"{what}:\n" + "\n".join(wrong)


def test_links_between_documents_lead_somewhere() -> None:
    wrong = []
    for path in published_files():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                wrong.append(f"{path.relative_to(ROOT)}: {target}")
    assert not wrong, "\n".join(wrong)
