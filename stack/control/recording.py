"""The flight recorder over the control socket: the bundle of now, as octets for the asker to keep."""

import base64
import time
from typing import Any

import trio

from stack.control.arguments import Arguments
from stack.errors import RefusedError
from stack.recorder.bundle import pack, unpack
from stack.recorder.ring import Recorder, Stretch
from stack.runtime import Runtime


def bundle_of(runtime: Runtime, *, state_alone: bool = False) -> bytes:
    """The bundle of a running host; without a recorder the state of now alone, or RefusedError."""
    recorder = runtime.host.recorder
    now = trio.current_time()
    recording = isinstance(recorder, Recorder)
    if isinstance(recorder, Recorder):
        stretch = recorder.stretch()
    elif state_alone:
        stretch = Stretch(runtime.host.snapshot(), [], now)
    else:
        raise RefusedError("this host records nothing: it was started with --no-record")
    return pack(
        stretch,
        now,
        time.time() - now,
        name=runtime.interface.name,
        interface=runtime.interface.index,
        recording=recording,
        wanted_up=runtime.wanted_up,
        device_up=runtime.device_up,
    )


def record(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """The bundle, in base64, with what is in it; with `state_alone` also of a host that records nothing."""
    octets = bundle_of(runtime, state_alone=arguments.flag("state_alone"))
    bundle = unpack(octets)
    return {
        "bundle": base64.b64encode(octets).decode(),
        "frames_in": bundle.about["frames_in"],
        "frames_out": bundle.about["frames_out"],
        "seconds": round(bundle.now - bundle.stretch.began, 3),
    }
