"""Run a command with PostgreSQL, Redis and Chromium at hand: `python -m tests.services pytest -n 2`.

The servers listen on free ports of the loopback address, keep their data in a temporary folder and are
stopped when the command ends, so that any number of runs fit on one machine. The command finds them in
its environment: TEST_POSTGRES_URL, TEST_REDIS_URL and CHROMIUM. A variable that is set already is left
alone, and its server is not started.

A service that is not installed is left out, so that its tests are skipped; with CI=true that is a failure.
This is for tests only: the databases here do not survive a crash.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

HOST = "127.0.0.1"
SECONDS_TO_START = 30
SECONDS_TO_STOP = 10
TRIES = 5  # A free port may be taken between our look and the server's own.

POSTGRES_SETTINGS = {
    "listen_addresses": HOST,
    "max_connections": "200",
    "max_locks_per_transaction": "256",  # Workers drop and create whole schemas side by side.
    "timezone": "UTC",
    # A database that lives for one test run needs no protection from a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


class DidNotStart(Exception):
    """A server ended, or did not answer in time; the text is what it last wrote."""


class NotInstalled(Exception):
    """A program is not on this machine; the text is the Debian package that brings it."""


def main(command: list[str]) -> int:
    """Run `command` beside the services and return its exit code; 1 when a needed service is missing."""
    signal.signal(signal.SIGTERM, leave)
    environment = dict(os.environ)
    missing = []
    with ExitStack() as services:
        for variable, start in SERVICES.items():
            if environment.get(variable):
                continue
            try:
                environment[variable] = services.enter_context(start())
            except NotInstalled as package:
                missing.append(str(package))
            except DidNotStart as reason:
                print(f"{variable}: the server did not start.\n{reason}", file=sys.stderr)
                return 1
        if missing:
            print(f"Not installed, so their tests cannot run: {', '.join(missing)}", file=sys.stderr)
            if environment.get("CI") == "true":
                return 1
        return run(command, environment)


def leave(signum: int, frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that the services are stopped on the way out."""
    raise SystemExit(128 + signum)


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run `command` to its end; when we are told to stop, it is told so first."""
    with subprocess.Popen(command, env=environment) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()  # Ctrl-C reached it too; let it say how far it came.
        except BaseException:
            stop(process)
            raise


@contextmanager
def postgres() -> Iterator[str]:
    """A new, empty PostgreSQL cluster; yields the URL of its database, whose owner may create others."""
    binaries = postgres_binaries()
    password = secrets.token_hex(16)
    user = database_user()
    with temporary_folder(user) as folder:
        data, password_file = folder / "data", folder / "password"
        password_file.write_text(password)
        give(password_file, user)
        initdb = [
            str(binaries / "initdb"), "--pgdata", str(data), "--username=teachback", "--auth=scram-sha-256",
            f"--pwfile={password_file}", "--encoding=UTF8", f"--locale={utf8_locale()}", "--no-sync",
        ]  # fmt: skip
        made = subprocess.run(initdb, check=False, cwd=folder, capture_output=True, text=True, **identity(user))
        if made.returncode:
            raise DidNotStart(made.stderr)

        settings = POSTGRES_SETTINGS | {"unix_socket_directories": str(folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

        def command(port: int) -> list[str]:
            return [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options]

        def answers(port: int) -> bool:
            ready = [str(binaries / "pg_isready"), "--quiet", "--host", HOST, "--port", str(port)]
            return subprocess.run(ready, check=False).returncode == 0

        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
        with server(command, answers, folder, user, stop_signal=signal.SIGINT) as port:
            yield f"postgresql+psycopg://teachback:{password}@{HOST}:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """An empty Redis that keeps nothing on disk; yields its URL."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise NotInstalled("redis-server")
    password = secrets.token_hex(16)
    with temporary_folder() as folder:
        settings = folder / "redis.conf"
        settings.write_text(f'bind {HOST}\ndir {folder}\nsave ""\nappendonly no\nrequirepass {password}\n')

        def command(port: int) -> list[str]:
            return [program, str(settings), "--port", str(port)]

        with server(command, accepts_connections, folder) as port:
            yield f"redis://:{password}@{HOST}:{port}/0"


@contextmanager
def chromium() -> Iterator[str]:
    """The path of a Chromium; nothing is started, each browser test does that for itself."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            yield path
            return
    raise NotInstalled("chromium")


SERVICES = {"TEST_POSTGRES_URL": postgres, "TEST_REDIS_URL": redis, "CHROMIUM": chromium}


@contextmanager
def server(
    command: Callable[[int], list[str]],
    answers: Callable[[int], bool],
    folder: Path,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[int]:
    """Start `command(port)` on a free port and yield that port once it answers; stop it afterwards.

    Raises DidNotStart with the server's own last lines.
    """
    log = folder / "log"
    for tries_left in reversed(range(TRIES)):
        port = free_port()
        with log.open("w") as output:
            process = subprocess.Popen(
                command(port),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C goes to the tests, and then we stop the server.
                **identity(user),
            )
        try:
            if wait_for(answers, port, process):
                yield port
                return
        finally:
            stop(process, stop_signal)
        if not tries_left:
            raise DidNotStart(log.read_text()[-2000:])


def wait_for(answers: Callable[[int], bool], port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether the server answers within SECONDS_TO_START, and is the one that we started."""
    give_up_at = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < give_up_at:
        if process.poll() is not None:
            return False
        if answers(port):
            time.sleep(0.05)  # If another server answered on this port, ours is about to end.
            return process.poll() is None
        time.sleep(0.05)
    return False


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask the process to end, and end it when it does not."""
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def accepts_connections(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port of the loopback address on which nothing listens now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def temporary_folder(user: str | None = None) -> Iterator[Path]:
    """A folder that only `user` (by default: we) can enter, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="teachback-test-", ignore_cleanup_errors=True) as name:
        give(Path(name), user)
        yield Path(name)


def give(path: Path, user: str | None) -> None:
    """Make `user` the owner of `path`; None leaves it ours."""
    if user is not None:
        shutil.chown(path, user)


def identity(user: str | None) -> dict[str, Any]:
    """The arguments with which `subprocess` runs a program as `user`, without any of root's groups."""
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def database_user() -> str | None:
    """The user to run PostgreSQL as: it refuses root. None means the one we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise NotInstalled("postgresql") from None


def postgres_binaries() -> Path:
    """The folder of the newest PostgreSQL server; Debian keeps it off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    if newest is None:
        raise NotInstalled("postgresql")
    return newest.parent


def utf8_locale() -> str:
    """A locale in which PostgreSQL knows the letters beyond ASCII, as `lower()` and sorting need."""
    return "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
