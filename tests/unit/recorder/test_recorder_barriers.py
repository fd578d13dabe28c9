"""Barriers: passed when, and only when, what every living client had put is written."""

from __future__ import annotations

from collections.abc import Iterable

from gaugeway.recorder.barriers import Barriers


class Client:
    """A connected client, as the barrier sees it."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.passed: list[int] = []

    def ask_sync(self, token: int) -> None:
        self.tokens.append(token)

    def barrier_done(self, number: int) -> None:
        self.passed.append(number)


class Writing:
    """How far the writing is."""

    def __init__(self) -> None:
        self.received = 0
        self.written = 0
        self.hurries = 0

    def hurry(self) -> None:
        self.hurries += 1


class House:
    """Barriers with clients `a`, `b`, … of which some are connected."""

    def __init__(self, living: Iterable[str], connected: Iterable[str]) -> None:
        self.living = set(living)
        self.writing = Writing()
        self.barriers = Barriers(self.writing, lambda: self.living)
        self.clients = {name: Client() for name in connected}
        for name, client in self.clients.items():
            self.barriers.joined(name, client)

    def sync(self, name: str) -> None:
        self.barriers.synced(name, self.clients[name].tokens[-1])

    def write(self) -> None:
        self.writing.written = self.writing.received
        self.barriers.check()


def test_it_waits_for_every_client_and_for_what_they_sent() -> None:
    house = House("ab", "ab")
    a, b = house.clients["a"], house.clients["b"]
    house.barriers.ask(a, 1)
    house.sync("a")
    assert a.passed == []
    house.writing.received = 3
    house.sync("b")
    assert a.passed == []
    assert house.writing.hurries == 1
    house.writing.written = 2
    house.barriers.check()
    assert a.passed == []
    house.write()
    assert a.passed == [1]
    assert b.passed == []


def test_what_comes_after_the_answers_need_not_be_written() -> None:
    house = House("a", "a")
    a = house.clients["a"]
    house.barriers.ask(a, 1)
    house.writing.received = 1
    house.sync("a")
    house.writing.received = 5
    house.writing.written = 1
    house.barriers.check()
    assert a.passed == [1]


def test_a_living_client_without_connection_is_waited_for_and_asked_when_it_comes() -> None:
    house = House("ab", "a")
    a = house.clients["a"]
    house.barriers.ask(a, 1)
    house.sync("a")
    house.barriers.check()
    assert a.passed == []
    late = house.clients["b"] = Client()
    house.barriers.joined("b", late)
    assert late.tokens == a.tokens
    house.sync("b")
    assert a.passed == [1]


def test_a_client_that_died_is_not_waited_for() -> None:
    house = House("ab", "ab")
    a, b = house.clients["a"], house.clients["b"]
    house.barriers.ask(a, 1)
    house.sync("a")
    house.barriers.left("b", b)
    assert a.passed == []  # its connection broke, but it lives
    house.living = {"a"}
    house.barriers.check()
    assert a.passed == [1]


def test_what_is_asked_meanwhile_shares_the_next_round() -> None:
    house = House("ab", "ab")
    a, b = house.clients["a"], house.clients["b"]
    house.barriers.ask(a, 1)
    for number in (2, 3):
        house.barriers.ask(b, number)
    assert len(a.tokens) == 1
    house.sync("a")
    house.sync("b")
    assert a.passed == [1]
    assert b.passed == []
    assert len(a.tokens) == 2
    house.sync("a")
    house.sync("b")
    assert b.passed == [2, 3]
    assert not house.barriers.is_waiting


def test_an_old_token_answers_nothing() -> None:
    house = House("a", "a")
    a = house.clients["a"]
    house.barriers.ask(a, 1)
    house.sync("a")
    house.barriers.ask(a, 2)
    house.barriers.synced("a", a.tokens[0])
    assert a.passed == [1]


def test_an_asker_that_left_is_forgotten() -> None:
    house = House("ab", "ab")
    a, b = house.clients["a"], house.clients["b"]
    house.barriers.ask(a, 1)
    house.barriers.ask(b, 2)
    house.barriers.left("b", b)
    house.living = {"a"}
    house.sync("a")
    assert a.passed == [1]
    assert b.passed == []
    assert not house.barriers.is_waiting
