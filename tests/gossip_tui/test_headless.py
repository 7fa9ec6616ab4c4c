"""``tail`` and ``send`` as programs: what they write, what they read, how they end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pytest

from gossip_tui.headless import LINE_LIMIT, Follower, json_line, notice_line, text_line
from gossip_tui.lines import LineWriter
from gossip_tui.ports import LOOPBACK, PortRange
from protocol.core.events import DatagramRejected, Event, PeerSeen
from protocol.sim import Simulation
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import address, node_id

from .free_ports import bound_run, free_range

HANG_GUARD = 60.0


class Programs:
    """Starts ``gossip-tui`` in one port range, and ends what still runs."""

    def __init__(self, ports: PortRange, stack: ExitStack) -> None:
        self.ports = ports
        self._stack = stack
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GOSSIP_TUI_")},
            "GOSSIP_TUI_PORTS": str(ports),
            "GOSSIP_TUI_CYCLE": "0.1",
        }

    def start(self, *words: str, **streams: int | IO[str]) -> subprocess.Popen[str]:
        """Start the program with pipes for what is not named."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        program = subprocess.Popen(
            [sys.executable, "-m", "gossip_tui", *words],
            env=self._environment,
            encoding="utf-8",
            **{**pipes, **streams},  # type: ignore[call-overload]
        )
        self._stack.callback(end, program)
        return program  # type: ignore[no-any-return]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, without input."""
        program = self.start(*words, stdin=subprocess.DEVNULL)
        out, err = program.communicate(timeout=HANG_GUARD)
        return subprocess.CompletedProcess(words, program.returncode, out, err)

    def tail(self) -> tuple[subprocess.Popen[str], Callable[[str], dict[str, Any]]]:
        """Start ``tail --json`` and wait until it is up; also a function for its next record of a type."""
        program = self.start("tail", "--json")

        def record(kind: str) -> dict[str, Any]:
            assert program.stdout is not None
            for line in program.stdout:
                found: dict[str, Any] = json.loads(line)
                if found["type"] == kind:
                    return found
            raise AssertionError(f"ended before a {kind} record")

        return program, record


def end(program: subprocess.Popen[str]) -> None:
    """Leave no program and no open pipe behind."""
    program.kill()
    program.wait(HANG_GUARD)
    for stream in (program.stdin, program.stdout, program.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.close()
            except BrokenPipeError:
                continue


def type_line(program: subprocess.Popen[str], line: str) -> None:
    assert program.stdin is not None
    program.stdin.write(f"{line}\n")
    program.stdin.flush()


@pytest.fixture
def programs() -> Iterator[Programs]:
    with ExitStack() as stack:
        yield Programs(free_range(6), stack)


def test_two_that_were_told_nothing_find_one_another_and_talk(programs: Programs) -> None:
    first, first_record = programs.tail()
    ready = first_record("ready")
    _, second_record = programs.tail()
    assert (ready["name"], second_record("ready")["name"]) == ("p1", "p2")
    type_line(first, "hello")
    message = second_record("message")
    assert (message["id"], message["text"], message["clock"]) == ("p1#1", "hello", {"p1": 1})
    assert message["origin_id"] == ready["id"]


def test_peers_that_fall_silent_are_counted_in_a_status(programs: Programs) -> None:
    _, record = programs.tail()
    others = [programs.tail()[0] for _ in range(2)]
    while len(record("view")["view"]) < 2:
        continue
    for other in others:
        other.kill()
    while record("status")["unanswered"] < 2:
        continue


def test_a_node_on_every_interface_says_how_it_can_be_joined(programs: Programs) -> None:
    program = programs.start("tail", "--bind", "0.0.0.0:0")
    assert program.stderr is not None
    assert "; others join with --join THIS-MACHINE:" in program.stderr.readline()


async def test_what_was_refused_in_the_last_cycle_is_summed_up_at_the_end() -> None:
    async def refused() -> AsyncIterator[Event]:
        for _ in range(4):
            yield DatagramRejected(address(9), "version")

    reading, writing = os.pipe()
    node: Any = MemoryNode()
    follower = Follower(node, LineWriter(writing, lambda: None), None, as_json=True)
    await follower.tell_events(refused())
    await follower.finish()
    with os.fdopen(writing, "w"), os.fdopen(reading) as lines:
        told = [json.loads(lines.readline()) for _ in range(2)]
    assert [(line["type"], line["reason"], line["count"]) for line in told] == [
        ("rejected", "version", 1),
        ("rejected", "version", 3),
    ]


def test_a_peer_that_may_only_have_been_named_is_not_said_to_have_joined() -> None:
    assert notice_line(PeerSeen(node_id("p2"), address(2))) == "p2 heard of at 127.0.0.1:8002"


def test_own_lines_are_told_as_well(programs: Programs) -> None:
    program, record = programs.tail()
    type_line(program, "to myself")
    assert record("message")["text"] == "to myself"


def test_lines_are_bytes_and_empty_ones_are_messages_too(programs: Programs) -> None:
    program, record = programs.tail()
    assert program.stdin is not None
    os.write(program.stdin.fileno(), b"\xff\x00\n\nend\n")
    told = [record("message") for _ in range(3)]
    assert (told[0]["payload_base64"], told[1]["text"], told[2]["text"]) == ("/wA=", "", "end")


def test_empty_lines_that_a_person_types_are_no_messages(programs: Programs) -> None:
    keyboard, terminal = os.openpty()
    try:
        program = programs.start("tail", "--json", stdin=terminal)
        os.write(keyboard, b"\n  \n\t\nhello\n")
        assert program.stdout is not None
        found = next(one for one in map(json.loads, program.stdout) if one["type"] == "message")
        assert (found["seq"], found["text"]) == (1, "hello")
    finally:
        os.close(keyboard)
        os.close(terminal)


def test_the_end_of_the_input_does_not_end_it(programs: Programs) -> None:
    program, record = programs.tail()
    assert program.stdin is not None
    program.stdin.write("last words")
    program.stdin.close()
    assert record("message")["text"] == "last words"
    _, other_record = programs.tail()
    other_record("ready")
    assert record("peer_seen")["name"] == "p2"


def test_a_line_that_is_too_long_is_said_with_both_numbers_and_the_next_one_sent(programs: Programs) -> None:
    program, record = programs.tail()
    type_line(program, "x" * 1_500_000)
    type_line(program, "short")
    assert record("message")["text"] == "short"
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=HANG_GUARD)
    assert "1500000 bytes is too large: at most 1048576 bytes" in err


def test_a_line_of_a_mebibyte_is_a_message_that_others_get_whole(programs: Programs) -> None:
    source, source_record = programs.tail()
    _, record = programs.tail()
    source_record("view")
    text = "".join(f"{number:08}" for number in range(1 << 17))
    type_line(source, text)
    assert record("message")["text"] == text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order_and_peers_are_told(programs: Programs, number: signal.Signals) -> None:
    _, record = programs.tail()
    leaver, leaver_record = programs.tail()
    leaver_record("view")
    record("view")
    leaver.send_signal(number)
    out, err = leaver.communicate(timeout=HANG_GUARD)
    assert (leaver.returncode, err) == (0, "")
    assert all(json.loads(line) for line in out.splitlines())
    assert record("peer_lost")["left"] is True


def test_a_reader_that_goes_ends_it_quietly_even_in_silence(programs: Programs) -> None:
    program, record = programs.tail()
    record("ready")
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    assert program.wait(HANG_GUARD) == 0
    assert program.stderr.read() == ""


def test_a_long_input_waits_for_a_peer_and_is_told_whole_and_in_order(
    programs: Programs, tmp_path: Any
) -> None:
    (tmp_path / "lines").write_text("".join(f"{number}\n" for number in range(3_000)))
    with (tmp_path / "lines").open() as lines:
        source = programs.start("tail", stdin=lines, stdout=subprocess.DEVNULL)
    assert source.stderr is not None
    assert any("lines wait for another node" in line for line in source.stderr)
    _, record = programs.tail()
    assert [record("message")["text"] for _ in range(3_000)] == [str(number) for number in range(3_000)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_disk_is_said_in_one_line(programs: Programs) -> None:
    with Path("/dev/full").open("w") as full:
        program = programs.start("tail", "--json", stdout=full)
    assert program.stderr is not None
    assert program.wait(HANG_GUARD) == 1
    assert program.stderr.read() == "gossip-tui: No space left on device\n"


def test_without_standard_output_it_ends_quietly(programs: Programs) -> None:
    words = f'exec "{sys.executable}" -m gossip_tui tail >&-'
    done = subprocess.run(["/bin/sh", "-c", words], check=False, capture_output=True, timeout=HANG_GUARD)
    assert (done.returncode, done.stderr) == (0, b"")
    assert programs.ports


def test_text_lines_are_one_printable_line_each(programs: Programs) -> None:
    program = programs.start("tail", stderr=subprocess.DEVNULL)
    assert program.stdin is not None
    assert program.stdout is not None
    os.write(program.stdin.fileno(), "\x1b[2J\u202egnp.exe\rend\n".encode())
    line = program.stdout.readline()
    assert line.rstrip("\n").isprintable()
    assert line.endswith("p1#1 ␛[2J⇄gnp.exe␍end {p1:1}\n")


def test_of_a_text_that_is_too_long_for_people_a_line_has_the_beginning_and_the_size() -> None:
    node = Simulation(1, seed=1).nodes[0]
    short, long = node.send_gossip("x" * LINE_LIMIT), node.send_gossip("ä" * (LINE_LIMIT + 1))
    assert "x" * LINE_LIMIT + " {" in text_line(short)
    assert "ä" * LINE_LIMIT + "... (8,002 bytes, all of them with --json) {" in text_line(long)
    assert "ä" * (LINE_LIMIT + 1) in json_line(long)


def test_send_waits_until_another_node_has_it(programs: Programs) -> None:
    _, record = programs.tail()
    address = record("ready")["address"]
    done = programs.run("send", "hello", "--join", address)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert record("message")["text"] == "hello"
    assert record("peer_lost")["left"] is True


def test_send_without_contacts_looks_around_in_the_port_range(programs: Programs) -> None:
    _, record = programs.tail()
    record("ready")
    assert programs.run("send", "hello").returncode == 0
    assert record("message")["text"] == "hello"


def test_send_takes_an_empty_input_for_a_message_without_text(programs: Programs) -> None:
    _, record = programs.tail()
    record("ready")
    assert programs.run("send", "-").returncode == 0
    assert record("message")["text"] == ""


def test_send_to_nobody_fails_and_says_where_it_asked(programs: Programs) -> None:
    nobody = f"{LOOPBACK}:{programs.ports.high}"
    done = programs.run("send", "hello", "--join", nobody, "--timeout", "0.3")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"gossip-tui: no node answered at {nobody} within 0.3 s")
    assert len(done.stderr.splitlines()) == 1


def test_nodes_of_another_cluster_are_nobody(programs: Programs) -> None:
    _, record = programs.tail()
    record("ready")
    assert programs.run("send", "hello", "--cluster", "other", "--timeout", "0.5").returncode == 1


def test_send_takes_a_mebibyte_from_standard_input_and_more_is_refused_with_both_numbers(
    programs: Programs, tmp_path: Path
) -> None:
    _, record = programs.tail()
    record("ready")
    text = "".join(f"{number:08}" for number in range(1 << 17))
    for more, code in (("", 0), ("x", 1)):
        (tmp_path / "text").write_text(text + more)
        with (tmp_path / "text").open() as source:
            program = programs.start("send", "-", stdin=source)
        _, err = program.communicate(timeout=HANG_GUARD)
        assert program.returncode == code, err
    assert err.startswith("gossip-tui: payload of 1048577 bytes is too large: at most 1048576 bytes")
    assert record("message")["text"] == text


def test_send_takes_a_large_text_as_an_argument_too(programs: Programs) -> None:
    _, record = programs.tail()
    record("ready")
    assert programs.run("send", "x" * 100_000).returncode == 0
    assert record("message")["text"] == "x" * 100_000


def test_a_port_that_is_taken_is_said_in_one_line(programs: Programs) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        address = f"{LOOPBACK}:{taken.getsockname()[1]}"
        done = programs.run("tail", "--bind", address)
    assert done.returncode == 1
    assert address in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_range_without_a_free_port_is_said_in_one_line(programs: Programs) -> None:
    sockets = bound_run(2)
    low = sockets[0].getsockname()[1]
    programs._environment["GOSSIP_TUI_PORTS"] = f"{low}-{low + 1}"
    done = programs.run("tail")
    for one in sockets:
        one.close()
    assert done.returncode == 1
    assert f"every port of {low}-{low + 1} on 127.0.0.1 is taken" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_two_nodes_of_one_name_are_told_apart(programs: Programs) -> None:
    programs._environment["GOSSIP_TUI_NAME"] = "ada"
    first, first_record = programs.tail()
    second, second_record = programs.tail()
    ids = (first_record("ready")["id"], second_record("ready")["id"])
    second_record("view")
    type_line(first, "one")
    second_record("message")
    type_line(second, "two")
    first_record("message")
    told = first_record("message")
    assert told["clock"] == {ids[0]: 1, ids[1]: 1}
    assert told["origin"] == ids[1]
    assert told["parents"] == [f"{ids[0]}#1"]


def test_a_host_name_without_an_address_is_said(programs: Programs) -> None:
    program = programs.start("tail", "--join", "no.such.host.invalid:7117")
    assert program.stderr is not None
    assert any("no.such.host.invalid:7117" in line for line in program.stderr)


def test_a_log_file_gets_records_and_the_terminal_none(programs: Programs, tmp_path: Any) -> None:
    path = tmp_path / "node.log"
    program = programs.start("tail", "--json", "--log-file", str(path), "--log-level", "debug")
    assert program.stdout is not None
    program.stdout.readline()
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=HANG_GUARD)
    assert err == ""
    assert "p1" in path.read_text()
