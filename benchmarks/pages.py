"""How fast the pages of a large community are, beside the least that a page can cost on the same machine.

`python benchmarks/pages.py` makes 20,000 members in a temporary folder, serves them, and drives pages and floor in
turns. It prints a JSON line for each page: rps, p95 and p99 with 8 clients; p50 with one; `queries` the most that
any answer took; `bytes` of a usual answer; `ratio` of p50 to the floor's. Then a line for the process.
A benchmark, not a test: it says what is, and fails only where a page does not answer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from statistics import median
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote, urlencode

from driving import Answer, Client, all_at_once, get, percentile_ms, post, take_turns

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
USUAL_MEMBERS = 20_000
CLIENTS = 8
WARM_UP = 30
START_SECONDS = 60.0
WORDS = (
    "bread",
    "bike brakes",
    "spanish conversation",
    "sewing",
    "weld",
    "pan",
    "guitarra",
    "computer",
    "garden",
    "first aid",
)

Known = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """A page to be measured: its name, and its `n`th request."""

    name: str
    request: Callable[[Known, int], bytes]
    is_write: bool = False


def visitor(path: Callable[[Known, int], str]) -> Callable[[Known, int], bytes]:
    """The requests of somebody who is not signed in."""
    return lambda known, n: get(path(known, n))


def member(path: Callable[[Known, int], str]) -> Callable[[Known, int], bytes]:
    """The requests of members, each another one."""
    return lambda known, n: get(path(known, n), _nth(known["signed_in"], n)["cookie"])


def search_path(known: Known, n: int) -> str:
    """Words people type: some of ours, and names of skills."""
    words = WORDS[n // 2 % len(WORDS)] if n % 2 else _nth(known["words"], n)
    return "/find?" + urlencode({"q": words})


def skill_path(known: Known, n: int) -> str:
    """The page of the `n`th skill."""
    return "/skills/" + quote(_nth(known["slugs"], n))


def session_path(known: Known, n: int) -> str:
    """The page of the `n`th session that is on."""
    return "/sessions/" + _nth(known["sessions"], n)


def offers_path(known: Known, n: int) -> str:
    """The list of offers: its first page, and some of those after it."""
    return "/offers" if n % 2 else f"/offers?page={n // 2 % 5 + 2}"


def keep_a_place(known: Known, n: int) -> bytes:
    """The `n`th member keeps a place in the `n`th session."""
    ticket = known["keeping"][n]
    form = urlencode({"csrf_token": ticket["token"], "once": f"bench-{n}", "goal": "To do it on my own."})
    return post(f"/sessions/{ticket['session']}/join", form, ticket["cookie"])


PAGES = (
    Page("home", visitor(lambda known, n: "/")),
    Page("search", visitor(search_path)),
    Page("offers list", visitor(offers_path)),
    Page("skill page", visitor(skill_path)),
    Page("session page", visitor(session_path)),
    Page("search, signed in", member(search_path)),
    Page("offers list, signed in", member(offers_path)),
    Page("skill page, signed in", member(skill_path)),
    Page("session page, signed in", member(session_path)),
    Page("my week", member(lambda known, n: "/week")),
    Page("keeping a place", keep_a_place, is_write=True),
)


class NoAnswer(Exception):
    """A page did not answer as it should; the message says which and how."""


def main() -> int:
    """Measure as the command line asks."""
    options = _options()
    worked = True
    usual: dict[str, float] = {}
    if options.members > USUAL_MEMBERS:
        worked &= _measure_community(USUAL_MEMBERS, options, usual, {})
        worked &= _measure_community(options.members, options, {}, usual)
    else:
        worked &= _measure_community(options.members, options, usual, {})
    return 0 if worked else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--members", type=int, default=USUAL_MEMBERS, help=f"beyond {USUAL_MEMBERS}, both are measured and compared"
    )
    parser.add_argument("--requests", type=int, default=400, help="of one client for each page; 8 clients send as many")
    parser.add_argument("--keep", type=Path, help="keep the communities in this folder, and use them again")
    parser.add_argument("--only", default="", help="only pages whose name contains this")
    return parser.parse_args()


def _measure_community(
    members: int, options: argparse.Namespace, found: dict[str, float], usual: dict[str, float]
) -> bool:
    """Print the lines of one community; p50 of each page lands in `found`. Whether every page answered."""
    with _folder(options.keep, members) as folder:
        env = _environment(folder)
        _make(folder, members, env)
        pages = [page for page in PAGES if options.only in page.name]
        known = _known(options.requests, env)
        worked = True
        print(json.dumps({"members": members, "requests": options.requests, "clients": CLIENTS}), flush=True)
        with _serving("product", env) as product, _serving("floor", env) as floor:
            for page in pages:
                try:
                    line = _measure(page, known, options.requests, product, floor)
                except (NoAnswer, OSError) as trouble:
                    worked = False
                    print(f"{page.name}: {trouble}", file=sys.stderr, flush=True)
                    continue
                found[page.name] = line["p50_ms"]
                if page.name in usual:
                    line["growth"] = round(line["p50_ms"] / usual[page.name], 2)
                print(json.dumps(line), flush=True)
        print(json.dumps(_measure_process(pages, known, env)), flush=True)
        return worked


def _measure(page: Page, known: Known, count: int, product: int, floor: int) -> dict[str, Any]:
    """One page: with one client in turns with the floor, then with all clients at once."""
    requests = [page.request(known, n) for n in range(_most(page, known, count))]
    half = len(requests) // 2
    ones, many = (requests[:half], requests[half:]) if page.is_write else (requests, requests)
    one, other = Client(product), Client(floor)
    warm = [one.ask(request) for request in (ones[:0] if page.is_write else ones[:WARM_UP])]
    size = int(median(len(answer.body) for answer in warm)) if warm else 0
    starts = known["offers"]
    bare = [get(f"/{starts[n % len(starts)]}/{size}") for n in range(len(ones))]
    _check("the floor", [other.ask(request) for request in bare[:WARM_UP]], page.is_write)
    answers, floors = take_turns(one, ones, other, bare)
    one.close()
    other.close()
    _check(page.name, answers, page.is_write)
    crowd, seconds = all_at_once(product, many, CLIENTS)
    _check(page.name, crowd, page.is_write)
    return {
        "page": page.name,
        "rps": round(len(crowd) / seconds, 1),
        "p50_ms": percentile_ms(answers, 0.5),
        "p95_ms": percentile_ms(crowd, 0.95),
        "p99_ms": percentile_ms(crowd, 0.99),
        "queries": max(int(answer.headers["x-queries"]) for answer in answers + crowd),
        "bytes": int(median(len(answer.body) for answer in answers)),
        "ratio": round(percentile_ms(answers, 0.5) / percentile_ms(floors, 0.5), 2),
    }


def _measure_process(pages: list[Page], known: Known, env: dict[str, str]) -> dict[str, Any]:
    """`flask start` itself: how long until it answers, and what it holds in memory after a round of all pages."""
    port = _free_port()
    began = monotonic()
    command = [sys.executable, "-m", "flask", "--app", "app", "start"]
    with _running(command, env | {"PORT": str(port)}, port) as process:
        client = Client(port)
        first = client.ask(get("/"))
        seconds = monotonic() - began
        client.close()
        for page in pages:
            if not page.is_write:
                all_at_once(port, [page.request(known, n) for n in range(100)], CLIENTS)
        return {
            "process": "flask start",
            "first_answer_ms": round(seconds * 1000),
            "status": first.status,
            "resident_mb": _resident_mb(process.pid),
        }


def _most(page: Page, known: Known, count: int) -> int:
    return min(count, len(known["keeping"])) if page.is_write else count


def _check(name: str, answers: list[Answer], is_write: bool) -> None:
    right = (200, 303) if is_write else (200,)
    wrong = [answer for answer in answers if answer.status not in right]
    if wrong:
        raise NoAnswer(f"{name}: {len(wrong)} of {len(answers)} answers were {sorted({a.status for a in wrong})}")


@contextmanager
def _folder(keep: Path | None, members: int) -> Iterator[Path]:
    if keep:
        folder = keep.resolve() / str(members)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="teachback-") as made:
            yield Path(made)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "DATA_DIR": str(folder),
        "DEMO": "0",
        "TRUSTED_PROXIES": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONFAULTHANDLER": "1",
    }


def _make(folder: Path, members: int, env: dict[str, str]) -> None:
    made = folder / "made"
    if not made.exists():
        command = [sys.executable, str(HERE / "community.py"), "make", str(members)]
        subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=sys.stderr, timeout=3600)
        made.touch()


def _known(count: int, env: dict[str, str]) -> Known:
    """What is there to ask for, with `count` members signed in."""
    command = [sys.executable, str(HERE / "community.py"), "know", str(count)]
    done = subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=300)
    known: Known = json.loads(done.stdout)
    known["keeping"] = [
        ticket | {"session": session}
        for ticket, session in zip(known["signed_in"], known["joins"], strict=False)
        if session is not None
    ]
    return known


@contextmanager
def _serving(which: str, env: dict[str, str]) -> Iterator[int]:
    """A server of serving.py in a process of its own, on the port given; stopped at the end."""
    port = _free_port()
    with _running([sys.executable, str(HERE / "serving.py"), which, str(port)], env, port):
        yield port


@contextmanager
def _running(command: list[str], env: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    log = Path(env["DATA_DIR"]) / "servers.log"
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=out)
    try:
        _wait_for(process, port)
        yield process
    except NoAnswer:
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = monotonic() + START_SECONDS
    while monotonic() < end and process.poll() is None:
        try:
            Client(port).close()
            return
        except OSError:
            sleep(0.01)
    raise NoAnswer(f"nothing listens on port {port}")


def _free_port() -> int:
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _nth(rows: list[Any], n: int) -> Any:
    return rows[n % len(rows)]


if __name__ == "__main__":
    sys.exit(main())
