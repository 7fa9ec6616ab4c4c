"""Host names: every address, off the loop, again until it works."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from protocol.core.identity import Address
from protocol.net import resolver
from protocol.net.resolver import Resolver, resolve

CONTACT = Address("gossip.example", 7117)


class Names:
    """The system's resolver with scripted answers: errors, or lists of hosts. The last one is repeated."""

    def __init__(self, *answers: OSError | UnicodeError | Sequence[str]) -> None:
        self.answers = list(answers)
        self.threads: list[threading.Thread] = []

    def __call__(self, _: str, port: int, **__: object) -> list[Any]:
        self.threads.append(threading.current_thread())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [record(host, port) for host in answer]


def record(host: str, port: int) -> tuple[object, ...]:
    if ":" in host:
        return socket.AF_INET6, socket.SOCK_DGRAM, 17, "", (host, port, 0, 0)
    return socket.AF_INET, socket.SOCK_DGRAM, 17, "", (host, port)


UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(*answers: OSError | UnicodeError | Sequence[str]) -> Names:
        fake = Names(*answers)
        monkeypatch.setattr(socket, "getaddrinfo", fake)
        return fake

    monkeypatch.setattr(resolver, "RETRY_PERIOD", 0.0)
    monkeypatch.setattr(resolver, "REFRESH_PERIOD", 0.0)
    return install


class Found:
    """Collects addresses and failures, and ends the test's wait when enough came."""

    def __init__(self) -> None:
        self.addresses: list[list[Address]] = []
        self.failures: list[str] = []
        self.came = asyncio.Event()

    def on_found(self, addresses: Sequence[Address]) -> None:
        self.addresses.append(list(addresses))
        self.came.set()

    def on_failed(self, contact: Address, reason: str) -> None:
        assert contact == CONTACT
        self.failures.append(reason)

    async def until(self, count: int) -> list[list[Address]]:
        while len(self.addresses) < count:
            self.came.clear()
            await self.came.wait()
        return self.addresses


async def test_a_name_stands_for_all_its_addresses_of_the_family(names: Any) -> None:
    names(["192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.1"])
    assert await resolve(CONTACT, socket.AF_INET) == [Address("192.0.2.1", 7117), Address("192.0.2.2", 7117)]
    assert await resolve(CONTACT, socket.AF_INET6) == [Address("2001:db8::1", 7117)]


async def test_without_a_family_ipv4_comes_first(names: Any) -> None:
    names(["2001:db8::1", "192.0.2.1"])
    found = await resolve(CONTACT, socket.AF_UNSPEC)
    assert found == [Address("192.0.2.1", 7117), Address("2001:db8::1", 7117)]


async def test_the_system_is_asked_off_the_loop_by_a_thread_that_holds_up_nobody(names: Any) -> None:
    fake = names(["192.0.2.1"])
    await resolve(CONTACT, socket.AF_INET)
    (thread,) = fake.threads
    assert thread is not threading.current_thread()
    assert thread.daemon


async def test_a_name_of_the_other_family_only_is_an_error_that_says_so(names: Any) -> None:
    names(["2001:db8::1"])
    with pytest.raises(OSError, match="it has no IPv4 address"):
        await resolve(CONTACT, socket.AF_INET)


async def test_a_name_that_no_encoding_takes_is_an_error_and_no_crash(names: Any) -> None:
    names(UnicodeError("label too long"))
    with pytest.raises(OSError, match="not a possible host name"):
        await resolve(CONTACT, socket.AF_INET)


async def test_a_name_is_tried_until_it_works_and_its_failure_said_once(names: Any) -> None:
    names(UNKNOWN, UNKNOWN, UNKNOWN, ["192.0.2.1"])
    found = Found()
    following = Resolver(socket.AF_INET, found.on_failed)
    following.follow(CONTACT, found.on_found, for_ever=False)
    assert await found.until(1) == [[Address("192.0.2.1", 7117)]]
    assert found.failures == ["Name or service not known"]
    await following.close()


async def test_another_reason_is_said_again(names: Any) -> None:
    names(UNKNOWN, OSError(11, "Temporary failure"), UNKNOWN, ["192.0.2.1"])
    found = Found()
    following = Resolver(socket.AF_INET, found.on_failed)
    following.follow(CONTACT, found.on_found, for_ever=False)
    await found.until(1)
    assert found.failures == ["Name or service not known", "Temporary failure", "Name or service not known"]
    await following.close()


async def test_a_name_that_moves_gives_its_new_addresses_only(names: Any) -> None:
    names(["192.0.2.1", "192.0.2.2"], ["192.0.2.2", "192.0.2.3"])
    found = Found()
    following = Resolver(socket.AF_INET, found.on_failed)
    following.follow(CONTACT, found.on_found, for_ever=True)
    assert (await found.until(2))[1] == [Address("192.0.2.3", 7117)]
    await following.close()


async def test_following_a_name_twice_asks_once(names: Any) -> None:
    fake = names(["192.0.2.1"])
    found = Found()
    following = Resolver(socket.AF_INET, found.on_failed)
    for _ in range(2):
        following.follow(CONTACT, found.on_found, for_ever=False)
    await found.until(1)
    await following.close()
    assert len(fake.threads) == 1


async def test_closing_abandons_a_look_up_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def hang(*_: object, **__: object) -> list[Any]:
        loop.call_soon_threadsafe(asked.set)
        answer.wait()
        return [record("192.0.2.1", 7117)]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    found = Found()
    following = Resolver(socket.AF_INET, found.on_failed)
    following.follow(CONTACT, found.on_found, for_ever=True)
    await asked.wait()
    await following.close()
    answer.set()
    for thread in threading.enumerate():
        if thread.name == "protocol-resolver":
            thread.join()
    await asyncio.sleep(0)
    assert found.addresses == []
