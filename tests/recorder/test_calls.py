"""What changes a host from outside is recorded, whoever does it: the edge's calls, options of sockets, a simulation."""

import ast
from collections.abc import Iterator
from pathlib import Path

from stack.address import parse_address
from stack.calls import _marked
from stack.recorder.replaying import Replay
from stack.recorder.ring import Recorder
from stack.sim.world import World
from stack.udp.endpoint import OPTIONS
from tests.playbook import OUR_LINK_LOCAL, Play, ip

STACK = Path(__file__).resolve().parents[2] / "stack"
# What is called with the time and changes nothing, what is the edge's own, and the four calls of a host.
UNRECORDED = {
    *("listing", "on_link_prefixes", "link", "routes", "groups", "destinations", "facts"),
    *("settle", "end", "begin_call", "end_soon", "_close_core", "_send_core", "_send_request"),
    *("advance", "receive_batch"),
}


def edge() -> Iterator[tuple[str, ast.AST]]:
    """Every node of the modules that call hosts while they run."""
    paths = [*(STACK / "control").glob("*.py"), *(STACK / "sockets").glob("*.py")]
    for path in (*paths, STACK / "runtime.py", STACK / "hosting.py", STACK / "cli" / "run.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path.name, node


def test_every_call_of_the_edge_with_the_time_is_recorded() -> None:
    recorded = {method.__name__ for method in _marked}
    missing = set()
    for name, node in edge():
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        given = [*node.args, *(each.value for each in node.keywords)]
        if any(isinstance(each, ast.Name) and each.id == "now" for each in given):
            missing |= {(name, node.func.attr)} - {(name, each) for each in recorded | UNRECORDED}
    assert not missing, "mark these with stack.calls.recorded, or say here that they change nothing"


def test_every_attribute_of_a_socket_that_its_user_sets_is_an_option() -> None:
    missing = set()
    for name, node in edge():
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and ast.unparse(target.value).split(".")[-1] == "core":
                missing |= {(name, target.attr)} - {(name, each) for each in OPTIONS}
    assert not missing, "give these to OPTIONS of stack.udp.endpoint"


def test_a_hint_of_an_upper_layer_is_a_call() -> None:
    play = Play().start().meet()
    play.run(play.now + 100)
    recorder = Recorder(play.host)
    play.host.confirm(ip(OUR_LINK_LOCAL), play.now)
    play.interface.confirm(ip(OUR_LINK_LOCAL), play.now)
    assert Replay(recorder.stretch()).run().calls == 2


def test_a_simulated_host_is_repeated_from_its_recorder() -> None:
    """A whole link: what a host of it has done is repeated without the others."""
    world = World(seed=5)
    ada = world.add_host("ada", bytes.fromhex("02000000000a"))
    bob = world.add_host("bob", bytes.fromhex("02000000000b"))
    recorder = Recorder(ada.host)
    sent: list[tuple[float, bytes]] = []
    world.watchers.append(
        lambda now, port, frame, outcome: sent.append((now, frame)) if outcome is None and port is ada.port else None
    )
    for station in (ada, bob):
        world.start(station)
    world.run_until(5.0)
    session = bob.host.echoes.open(bob.interface, parse_address("fe80::ff:fe00:a"), None)
    session.send(1, world.now)
    world.settle(bob)
    membership = ada.interface.listener.join(parse_address("ff05::77"), world.now)
    world.settle(ada)
    world.run_until(60.0)
    ada.interface.listener.leave(membership, world.now)
    world.settle(ada)
    world.run_until(100.0)
    result = Replay(recorder.stretch()).run()
    assert result.equal
    assert [(each.time, each.frame) for each in result.sent] == sent
    assert len(sent) > 8
