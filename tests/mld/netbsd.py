"""Hosts of the `netbsd` personality, and what is seen of them."""

from tests.mld.common import Play, Sent, is_mld, joined, kinds, ready


def netbsd(seed: int = 1, **settings: int | str) -> Play:
    """A host of this personality, its start-up over."""
    return ready(seed, **{"mld_personality": "netbsd", "force_mld_version": 0} | settings)


def joined_netbsd(*groups: str, seed: int = 1, **settings: int | str) -> Play:
    """The same in groups, with nothing pending."""
    return joined(*groups, seed=seed, **{"mld_personality": "netbsd", "force_mld_version": 0} | settings)


def change(play: Play, personality: str, version: int = 1) -> None:
    """Another personality at run time, as the control socket sets it."""
    play.host.settings.set_text("mld_personality", personality)
    play.host.settings.set_text("force_mld_version", str(version))
    play.interface.listener.follow_version(play.now)
    play.settle()


def answers(play: Play, seconds: float = 20) -> list[int]:
    play.run(play.now + seconds)
    return kinds(play.sent())


def of_groups(frames: list[Sent], *groups: str) -> list[int]:
    return [each.kind for each in frames if is_mld(each) and each.target in groups]
