"""Another process at the same files: `python -m support.store_process ACTION ARGUMENT…`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import ResultStatus
from gaugeway.core.ports import CachedAnswer, Rate
from gaugeway.stores import open_stores
from gaugeway.stores.sqlite.config_version import ConfigVersion
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.gateways import SqliteGateways
from gaugeway.stores.sqlite.opening import open_state
from support.spending import a_budget
from support.state import SCOPE, a_gateway, a_result

TESTS = Path(__file__).parent.parent
NOBODY = 65534


def start(action: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that does one of the actions below; its input and output are pipes."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "support.store_process", action, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TESTS,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What it printed; AssertionError where it failed."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


def wait_for_line(process: subprocess.Popen[str]) -> str:
    """The next line it prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=60)[1]
    return line.strip()


def _at_the_same_time(start_file: str) -> None:
    print("ready", flush=True)
    while not Path(start_file).exists():
        time.sleep(0.001)


def open_at_once(path: str, migrations: str, start_file: str) -> None:
    """Open a database when the file appears, and add a row."""
    _at_the_same_time(start_file)
    database = Database(Path(path), Path(migrations))
    with database.writing() as connection:
        connection.execute("UPDATE counter SET value = value + 1")
    database.close()


def count_up(path: str, migrations: str, times: str) -> None:
    """Add to a counter from two threads, by reading it and writing it."""
    database = Database(Path(path), Path(migrations))

    def add() -> None:
        for _ in range(int(times)):
            with database.writing() as connection:
                value = connection.execute("SELECT value FROM counter").get
                connection.execute("UPDATE counter SET value = ?", (value + 1,))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    print("done")


def hang_in_transaction(path: str, migrations: str) -> None:
    """Write much, do not commit, and hold on."""
    database = Database(Path(path), Path(migrations))
    with database.writing() as connection:
        connection.execute("UPDATE counter SET value = 1000")
        for _ in range(2000):
            connection.execute("INSERT INTO things(text) VALUES(?)", ("x" * 4000,))
        print("writing", flush=True)
        time.sleep(600)


def open_and_tell(path: str, migrations: str) -> None:
    """Print what opening answers to a user without root's powers."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    try:
        Database(Path(path), Path(migrations)).close()
    except StoreUnusable as problem:
        print(problem)


def fork_and_tell(path: str, migrations: str) -> None:
    """Print what a forked child is told, then use the database in the parent."""
    database = Database(Path(path), Path(migrations))
    database.rows("SELECT value FROM counter")
    child = os.fork()
    if child == 0:
        for use in (database.reader, lambda: database.writing().__enter__()):
            try:
                use()
            except StoreUnusable as problem:
                print(problem, flush=True)
        database.close()
        again = Database(Path(path), Path(migrations))
        with again.writing() as connection:
            connection.execute("UPDATE counter SET value = value + 1")
        again.close()
        os._exit(0)
    os.waitpid(child, 0)
    with database.writing() as connection:
        connection.execute("UPDATE counter SET value = value + 1")
    print(database.rows("SELECT value FROM counter")[0][0])
    database.close()


def run_evaluations(folder: str, owner: str, start_file: str) -> None:
    """Claim and finish evaluations until there are none; print the id of each."""
    stores = open_stores(folder)
    _at_the_same_time(start_file)
    while (evaluation := stores.evaluations.claim(owner, now_ms=1000, lease_ms=60_000)) is not None:
        print(evaluation.id)
        results = [a_result(evaluation.id, ResultStatus.COMPLETED, result=owner)]
        assert stores.evaluations.save(evaluation, owner, results, total_logs=1)
    stores.close()


def tell_version(folder: str) -> None:
    """Print the version once for each line that comes in."""
    stores = open_stores(folder)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(stores.config.version(), flush=True)
    stores.close()


def take(address: str, limit: str, interval: str, sliding: str, now: str, times: str) -> None:
    """Ask for so many requests to pass at one moment; print how many may."""
    stores = open_stores(address)
    rate = Rate(int(limit), int(interval), sliding=sliding == "1")
    if int(times) > 1_000_000:
        print("counting", flush=True)
    print(sum(stores.counters.take(SCOPE, rate, int(now)) == 0 for _ in range(int(times))))
    stores.close()


def take_keyed(address: str, limit: str, interval: str, sliding: str, now: str, times: str) -> None:
    """The same, of one key's count."""
    stores = open_stores(address)
    rate = Rate(int(limit), int(interval), sliding=sliding == "1")
    print(sum(stores.keyed_counters.take(b"k", rate, int(now)) == 0 for _ in range(int(times))))
    stores.close()


def spend(address: str, limit: str, window: str, sliding: str, now: str, times: str) -> None:
    """Reserve 3 and pay 1 to 3 so many times; print what was paid in all."""
    stores = open_stores(address)
    budget, paid = a_budget(int(limit), int(window), sliding=sliding == "1"), 0
    for number in range(int(times)):
        hold, cost = b"%d-%d" % (os.getpid(), number), number % 3 + 1
        if stores.ledger.reserve(hold, (budget,), 3, int(now)) is None:
            stores.ledger.settle(hold, (budget,), cost, int(now))
            paid += cost
    print(paid)
    stores.close()


def hold_and_wait(address: str, limit: str, window: str, sliding: str, now: str, times: str) -> None:
    """Reserve 3 so many times, say so, and wait to be killed."""
    stores = open_stores(address)
    budget = a_budget(int(limit), int(window), sliding=sliding == "1")
    for number in range(int(times)):
        assert stores.ledger.reserve(b"%d" % number, (budget,), 3, int(now)) is None
    print("held", flush=True)
    sys.stdin.read()


def spend_for_ever(address: str, limit: str, window: str, sliding: str, now: str) -> None:
    """Reserve 3 and pay 2, over and over; a line with how often, after each."""
    stores = open_stores(address)
    budget, count = a_budget(int(limit), int(window), sliding=sliding == "1"), 0
    print("spending", flush=True)
    while True:
        hold = b"%d-%d" % (os.getpid(), count)
        assert stores.ledger.reserve(hold, (budget,), 3, int(now)) is None
        stores.ledger.settle(hold, (budget,), 2, int(now))
        count += 1
        print(count, flush=True)


def keep_answers(address: str) -> None:
    """Keep one large answer after another; a line for each."""
    stores = open_stores(address, cache_bytes=1_000_000)
    answer = CachedAnswer([], b"x" * 200_000)
    for number in range(1000):
        key = sha256(str(number).encode()).digest()
        stores.cache.put(SCOPE, key, answer, asked_at=number, now_ms=number, expires_at=1 << 60)
        print("kept", flush=True)


def lead(address: str, name: str) -> None:
    """Take the lead of a flight, say whether it was free, and hold it until told or killed."""
    stores = open_stores(address)
    print(stores.flight_locks.take(name.encode()), flush=True)
    sys.stdin.readline()
    stores.flight_locks.free(name.encode())
    print("free", flush=True)
    sys.stdin.read()


class _Dying:
    """A commit's witness that is killed just before or just after the commit."""

    def __init__(self, witness: ConfigVersion, moment: str) -> None:
        self._witness = witness
        self._moment = moment

    def before_commit(self, connection: Connection) -> None:
        self._witness.before_commit(connection)
        if self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def after_commit(self, connection: Connection) -> None:
        if self._moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        self._witness.after_commit(connection)


def die_changing(folder: str, moment: str) -> None:
    """Replace the main gateway, and be killed around the commit."""
    state = open_state(Path(folder))
    witness = _Dying(ConfigVersion(state, Path(folder) / "config.version"), moment)
    SqliteGateways(state, witness).replace(a_gateway(SCOPE.gateway_id, cache_ttl=77))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
