# ruff: noqa: RUF001
"""`libmarc info`: what it tells, where it tells it, and how it ends."""

from __future__ import annotations

import importlib
import os
import pty
import re
import signal
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from corpus import CACHE, LOC_NAME

from libmarc import _info
from libmarc.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "fixtures"))
generator: Any = importlib.import_module("generate")

COMMAND = [sys.executable, "-m", "libmarc"]
DEMO_RECORDS = 300
LOC = CACHE / LOC_NAME

# What pymarc says to each damage of the generated file.
VERDICTS = {
    "length too long": "EndOfRecordNotFound",
    "length too short": "EndOfRecordNotFound",
    "length not digits": "RecordLengthInvalid",
    "no record terminator": "EndOfRecordNotFound",
    "junk text": "RecordLengthInvalid",
    "truncated directory": "EndOfRecordNotFound",
    "invalid UTF-8": "UnicodeDecodeError",
    "cut in the middle": "EndOfRecordNotFound",
    "cut at the end": "TruncatedRecord",
}


def environment(**changes: str | None) -> dict[str, str]:
    """The environment of this process without what decides on colour, and with these changes."""
    changed: dict[str, str | None] = {**os.environ, "NO_COLOR": None, "FORCE_COLOR": None, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command, with its output as text."""
    settings = {"capture_output": True, "encoding": "utf-8", "env": environment(), **options}
    return subprocess.run([*COMMAND, *map(os.fspath, arguments)], timeout=120, check=False, **settings)


def info(data: bytes, **options: Any) -> subprocess.CompletedProcess[str]:
    """`libmarc info -` on these bytes."""
    settings = {"capture_output": True, "env": environment(), **options}
    done = subprocess.run([*COMMAND, "info", "-"], input=data, timeout=120, check=False, **settings)
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def make(*fields: tuple[str, bytes], control: bytes = b"am a") -> bytes:
    """A sound record: leader/06-09 and the bodies of the fields."""
    directory, data = b"", b""
    for tag, body in fields:
        directory += f"{tag}{len(body) + 1:04}{len(data):05}".encode()
        data += body + b"\x1e"
    base = 24 + len(directory) + 1
    head = f"{base + len(data) + 1:05}n".encode() + control + f"22{base:05}   4500".encode()
    return head + directory + b"\x1e" + data + b"\x1d"


def titled(title: str, number: str = "1", **options: Any) -> bytes:
    return make(("001", number.encode()), ("245", b"10\x1fa" + title.encode("utf-8")), **options)


def sections(report: str) -> dict[str, list[str]]:
    """The lines of a report under the first words of their headings; the overview has none."""
    found: dict[str, list[str]] = {}
    for block in report.split("\n\n"):
        lines = block.rstrip("\n").split("\n")
        name = "" if not found else re.split(r"[:(]", lines[0])[0].strip()
        found[name] = lines if not found else lines[1:]
    return found


def counts(lines: Iterable[str]) -> dict[str, int]:
    """`12,345  name ...`: counts by the first word behind them."""
    rows = (re.match(r" *([\d,]+)  (.+?)(?:  |$)", line) for line in lines)
    return {row[2]: int(row[1].replace(",", "")) for row in rows if row}


def overview(report: str) -> list[int]:
    """Bytes, bytes in records, rejected, between records; records, rejected pieces."""
    text = "\n".join(sections(report)[""])
    number = r"([\d,]+)"
    sizes = re.search(
        rf"^bytes +{number} = {number} in records, {number} rejected, {number} between records$", text, re.M
    )
    pieces = re.search(rf"^records +{number}(?: \([\d,]+ with deviations\))?, {number} pieces rejected$", text, re.M)
    assert sizes
    assert pieces
    return [int(value.replace(",", "")) for value in (*sizes.groups(), *pieces.groups())]


def without_speed(report: str) -> str:
    return re.sub(r"^(file|speed) .*\n", "", report, flags=re.M)


class Expected:
    """What a generated file holds, from its map and its bytes; no reader takes part."""

    def __init__(self, data: bytes, boundaries: Any) -> None:
        self.data = data
        self.silent = sum(p.end - p.begin for p in boundaries.pieces if p.kind == "silent")
        self.truths = boundaries.records
        chunks = {p.begin for p in boundaries.pieces if p.kind == "chunk"}
        self.rejected = [t for t in self.truths if t.begin in chunks or t.damage == "invalid UTF-8"]
        lost = {truth.begin for truth in self.rejected}
        self.delivered = [truth for truth in self.truths if truth.begin not in lost]

    def raw(self, truth: Any) -> bytes:
        return self.data[truth.begin : truth.end]

    def size_of(self, truths: Iterable[Any]) -> int:
        return sum(truth.end - truth.begin for truth in truths)


@cache
def demo() -> Expected:
    return Expected(*generator.generate("demo", DEMO_RECORDS, 1))


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.mrc"
    path.write_bytes(demo().data)
    return path


@pytest.fixture(scope="module")
def demo_report(demo_file: Path) -> str:
    done = run("info", demo_file)
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


# ---- what it tells ----


def test_bytes_and_records(demo_file: Path, demo_report: str) -> None:
    ours = demo()
    sizes = [len(ours.data), ours.size_of(ours.delivered), ours.size_of(ours.rejected), ours.silent]
    assert sizes[0] == sum(sizes[1:])
    assert overview(demo_report) == [*sizes, len(ours.delivered), len(ours.rejected)]
    assert sections(demo_report)[""][0] == f"file     {demo_file}"
    speed = sections(demo_report)[""][-1]
    assert re.fullmatch(r"speed    [\d,]+ records/s, [\d,.]+ MB/s \([\d.]+ s\)", speed)


def test_encodings(demo_report: str) -> None:
    ours = demo()
    codings = Counter(ours.raw(truth)[9:10] for truth in ours.delivered)
    found = counts(sections(demo_report)["encodings"])
    assert found["UTF-8"] == codings[b"a"]
    assert found["MARC-8"] == codings[b" "] > 0


def test_record_types(demo_report: str) -> None:
    ours = demo()
    expected = Counter(ours.raw(truth)[6:8].decode() for truth in ours.delivered)
    lines = sections(demo_report)["record types"]
    assert {line[14:16]: int(line[:12].replace(",", "")) for line in lines} == dict(expected)
    assert f"{expected['am']:12,}  am  language material, monograph or item" in lines
    assert f"{expected['z ']:12,}  z   authority" in lines


def test_most_used_tags(demo_report: str) -> None:
    truths = demo().delivered
    fields = Counter(tag for truth in truths for tag in truth.tags)
    records = Counter(tag for truth in truths for tag in set(truth.tags))
    expected = sorted(fields, key=lambda tag: (-fields[tag], tag))
    lines = sections(demo_report)["most used tags"]
    assert lines[:-1] == [f"{fields[tag]:12,}  {tag}  in {records[tag]:,} records" for tag in expected[: _info.TAGS]]
    assert lines[-1].strip() == f"and {len(expected) - _info.TAGS} more tags"


def test_first_titles(demo_report: str) -> None:
    ours = demo()
    first = [truth for truth in ours.delivered if truth.title][: _info.TITLES]
    lines = sections(demo_report)["first titles"]
    assert len(lines) == len(first)
    for truth, line in zip(first, lines, strict=True):
        assert line.endswith("(MARC-8, not converted)") or line == f"  {truth.title[:100]}"
        if ours.raw(truth)[9:10] == b"a":
            assert line == f"  {truth.title[:100]}"


def test_rejected_pieces_by_kind_with_the_first_place(demo_report: str) -> None:
    ours = demo()
    kinds = Counter(VERDICTS[truth.damage] for truth in ours.rejected)
    lines = sections(demo_report)["problems"]
    rows = [at for at, line in enumerate(lines) if "  rejected  " in line]
    found = {}
    for at in rows:
        head = re.fullmatch(r" *(\d+)  rejected  (\w+): (.+)", lines[at])
        assert head
        found[head[2]] = int(head[1])
        first = next(truth for truth in ours.rejected if VERDICTS[truth.damage] == head[2])
        place = re.fullmatch(r" +first: record (\d+), offset (\d+), (.*)", lines[at + 1])
        assert place
        assert int(place[1]) == ours.truths.index(first) + 1
        assert first.begin <= int(place[2]) < first.end
        control = f"001 {first.control}" if first.control else "no 001"
        assert place[3] == control + (", tag 500" if first.damage == "invalid UTF-8" else "")
    assert found == kinds
    assert "rejected  TruncatedRecord: the input ends before the length that the leader states" in demo_report
    assert "rejected  UnicodeDecodeError: leader/09 says UTF-8, and the text is not valid UTF-8" in demo_report


def test_deviations_by_kind_with_the_first_place() -> None:
    sound = titled("Sound")
    bare = make(("001", b"x-2"), ("245", b"\x1faBare"), ("500", b"\x1faBare again"))
    single = make(("001", b"x-3"), ("245", b"1\x1faSingle"))
    done = info(sound + bare + b"junk\x1d" + single + bare)
    assert (done.returncode, done.stderr) == (1, "")
    problems = "\n".join(sections(done.stdout)["problems"])
    at = len(sound) + bare.index(b"\x1faBare")
    assert (
        f"           4  deviation  no indicators; two blanks are assumed\n"
        f"              first: record 2, offset {at}, 001 x-2, tag 245"
    ) in problems
    at = len(sound + bare) + 5 + single.index(b"1\x1faSingle")
    assert (
        f"           1  deviation  one indicator only; a blank is added\n"
        f"              first: record 4, offset {at}, 001 x-3, tag 245"
    ) in problems
    assert re.search(r"first: record 3, offset \d+, no 001", problems)
    assert "records  4 (3 with deviations), 1 pieces rejected" in done.stdout


@pytest.mark.parametrize("kind", ["damaged", "large", "marc8"])
def test_every_byte_is_accounted_for(kind: str) -> None:
    count = {"damaged": 200, "large": 8, "marc8": 50}[kind]
    data, boundaries = generator.generate(kind, count, 3)
    size, in_records, rejected, silent, records, pieces = overview(info(data).stdout)
    assert size == len(data) == in_records + rejected + silent
    assert silent == sum(piece.end - piece.begin for piece in boundaries.pieces if piece.kind == "silent")
    assert records + pieces == len(boundaries.records)


def test_a_piece_in_parts_is_one_piece() -> None:
    junk = b"x" * ((64 << 20) + 1000)
    done = info(titled("Before") + b"\n" + junk + b"\x1d" + titled("Behind"))
    size, in_records, rejected, silent, records, pieces = overview(done.stdout)
    assert (rejected, silent, records, pieces) == (len(junk) + 1, 1, 2, 1)
    assert size == in_records + rejected + silent
    assert "           1  rejected  RecordTooLarge" in done.stdout
    assert re.search(r"first: record 2, offset \d+, no 001", done.stdout)


def test_types_in_words() -> None:
    words = _info.type_in_words
    assert words("am") == "language material, monograph or item"
    assert words("jm") == "musical sound recording, monograph or item"
    assert words("as") == "language material, serial"
    assert words("zn") == "authority"
    assert words("qn") == "community information"
    assert words("a ") == "language material, level not defined"
    assert words("??") == "type not defined"


def test_other_codings_are_named() -> None:
    done = info(titled("Plain", control=b"am 9") + titled("Odd", control=b"am \x01"))
    found = counts(sections(done.stdout)["encodings"])
    assert found["MARC-8 assumed: leader/09 is '9'"] == 1
    assert "\x01" not in done.stdout
    assert done.returncode == 0


# ---- what it ends with ----


def test_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "sound.mrc"
    path.write_bytes(titled("One") + b"\r\n" + titled("Two"))
    done = run("info", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sections(done.stdout)["problems"] == []
    assert done.stdout.endswith("\nproblems: none\n")
    assert sections(done.stdout)["first titles"] == ["  One", "  Two"]


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.mrc"
    path.touch()
    done = run("info", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert overview(done.stdout) == [0, 0, 0, 0, 0, 0]
    assert sections(done.stdout).keys() == {"", "problems"}


@pytest.mark.parametrize(
    ("beginning", "hint"),
    [
        (b"<?xml version='1.0'?><collection/>", "but XML, as it seems"),
        (b"\xef\xbb\xbf<collection/>", "but XML, as it seems"),
        (b'{"leader": ""}', "but JSON, as it seems"),
        (b"\x1f\x8b\x08\x00", "compressed by gzip, as it seems: decompress it (gzip -dc"),
        (b"=LDR  00000nam a2200000   4500", "but MARCMaker text"),
        (b"Dear reader, this is a letter.", "record length (leader/00-04) is not a number"),
    ],
)
def test_what_is_not_marc(beginning: bytes, hint: str) -> None:
    done = info(beginning)
    assert (done.returncode, done.stderr) == (1, "")
    assert "There is no MARC record in it.\n" in done.stdout
    assert hint in "\n".join(sections(done.stdout)["problems"])
    assert overview(done.stdout)[4:] == [0, 1]


def assert_one_line(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"libmarc: {message}\n")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    missing = tmp_path / "missing.mrc"
    assert_one_line(run("info", missing), f"{missing}: No such file or directory")
    assert_one_line(run("info", tmp_path), f"{tmp_path}: Is a directory")
    assert_one_line(run("info", ""), ": No such file or directory")


def test_no_permission(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "secret.mrc"
    path.write_bytes(titled("Secret"))
    path.chmod(0)
    was_root = os.geteuid() == 0  # root may read everything
    if was_root:
        os.seteuid(65534)
    try:
        status = main(["info", str(path)])
    finally:
        if was_root:
            os.seteuid(0)
    captured = capsys.readouterr()
    assert (status, captured.out, captured.err) == (2, "", f"libmarc: {path}: Permission denied\n")


def test_failure_while_reading() -> None:
    """/proc/self/mem opens, and its first page cannot be read."""
    assert_one_line(run("info", "/proc/self/mem"), "/proc/self/mem: Input/output error")


def test_names_are_shown_without_control_characters(tmp_path: Path) -> None:
    done = run("info", tmp_path / "red\x1b[31m\n.mrc")
    assert done.returncode == 2
    assert done.stderr.endswith("red\\x1b[31m\\n.mrc: No such file or directory\n")
    assert done.stderr.count("\n") == 1
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/b\xfccher.mrc")
    Path(odd).write_bytes(titled("In Latin-1"))
    done = run("info", odd)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].endswith("/b\\udcfccher.mrc")


def test_version_help_and_wrong_use() -> None:
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"libmarc \d+\.\d+\.\d+\n", done.stdout)
    for arguments in (["-h"], ["info", "--help"]):
        done = run(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: libmarc ")
    for arguments in ([], ["info"], ["unknown"], ["info", "--unknown", "x"]):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_main_is_a_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.mrc"
    path.write_bytes(titled("One"))
    assert main(["info", str(path)]) == 0
    assert "\nfirst titles:\n  One\n" in capsys.readouterr().out
    assert main(["info", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"libmarc: {tmp_path}: Is a directory\n")


# ---- standard input and output ----


def test_standard_input(demo_file: Path, demo_report: str) -> None:
    piped = info(demo().data)
    with demo_file.open("rb") as file:
        redirected = run("info", "-", stdin=file)
    for done in (piped, redirected):
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.startswith("file     standard input\n")
        assert without_speed(done.stdout) == without_speed(demo_report)


def test_closed_standard_input_and_output(demo_file: Path) -> None:
    shell = ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, "info", "-"]
    done = subprocess.run(shell, capture_output=True, text=True, check=False, env=environment())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "libmarc: standard input: it is closed\n"
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "info", str(demo_file)]
    done = subprocess.run(shell, capture_output=True, text=True, check=False, env=environment())
    assert (done.returncode, done.stderr) == (1, "")


def test_a_reader_that_goes_away(demo_file: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        done = subprocess.run(
            [*COMMAND, "info", str(demo_file)],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment(),
        )
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_full_disk(demo_file: Path) -> None:
    with open("/dev/full", "wb") as out:
        done = run("info", demo_file, stdout=out, stderr=subprocess.PIPE, capture_output=False)
    assert (done.returncode, done.stderr) == (2, "libmarc: standard output: No space left on device\n")


def test_ascii_output() -> None:
    done = info(titled("Żółw"), env=environment(PYTHONIOENCODING="ascii"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "  \\u017b\\xf3\\u0142w\n" in done.stdout


# ---- what must not reach a terminal ----


def test_control_characters_are_escaped() -> None:
    title = "a\x1b]0;title\x07b\x9b31mc\u202ed\te\u2028f"
    rejected = make(("001", b"\x1b[31mred\r\n"), ("245", b"10\x1fa\xff"))
    bare = make(("001", b"\x1b[2J"), ("245", b"\x1faBare"))
    done = info(titled(title) + rejected + bare + b"\x1b[31mjunk\x1d")
    assert done.returncode == 1
    shown = done.stdout.replace("\n", "")
    assert [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cf", "Zl")] == []
    assert "  a\\x1b]0;title\\x07b\\x9b31mc\\u202ed\\te\\u2028f\n" in done.stdout
    assert "001 \\x1b[31mred\\r\\n" in done.stdout
    assert "001 \\x1b[2J" in done.stdout


def test_titles_in_marc8() -> None:
    marc8 = make(("245", b"10\x1fan\xe2ee \x1b(NiSTORIQ\x1b(B"), control=b"am  ")
    assert sections(info(marc8).stdout)["first titles"] == ["  née История"]


def test_joiners_stay_and_long_titles_are_cut() -> None:
    lines = sections(info(titled("می\u200cخواهم") + titled("x" * 500)).stdout)["first titles"]
    assert lines == ["  می\u200cخواهم", f"  {'x' * 97}..."]


# ---- terminals and signals ----


def on_terminal(command: list[str], env: Mapping[str, str], stdout_too: bool = False) -> tuple[int, bytes, bytes]:
    """Runs a command with a terminal as stderr: status, stdout, and what came to the terminal."""
    try:
        ours, theirs = pty.openpty()
    except OSError as problem:
        pytest.skip(f"this system has no terminals to give: {problem}")
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=theirs if stdout_too else subprocess.PIPE,
        stderr=theirs,
        env=env,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            shown += part
        out = process.stdout.read() if process.stdout else b""
        status = process.wait(timeout=60)
    os.close(ours)
    return status, out, shown


COLOUR = re.compile(rb"\x1b\[(?:3[0-7]|9[0-7]|38;)[\d;]*m")


def test_progress_bar_on_a_terminal(demo_file: Path, demo_report: str) -> None:
    pytest.importorskip("rich")
    command = [*COMMAND, "info", str(demo_file)]
    status, out, shown = on_terminal(command, environment(TERM="xterm-256color"))
    assert status == 1
    assert without_speed(out.decode()) == without_speed(demo_report)
    assert COLOUR.search(shown)
    assert b"demo.mrc " in shown
    assert f"{len(demo().delivered)} records".encode() in shown
    assert b"0 records" in shown, "it is there from the beginning"


def test_progress_bar_without_colour(demo_file: Path) -> None:
    pytest.importorskip("rich")
    command = [*COMMAND, "info", str(demo_file)]
    status, out, shown = on_terminal(command, environment(TERM="xterm-256color", NO_COLOR="1"))
    assert status == 1
    assert b"\x1b" not in out
    assert b" records" in shown
    assert not COLOUR.search(shown)


def test_names_in_the_progress_bar_are_no_markup(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    path = tmp_path / "[bold]x[red]\x1b[5m.mrc"
    path.write_bytes(titled("One"))
    status, _, shown = on_terminal([*COMMAND, "info", str(path)], environment(TERM="xterm"))
    assert status == 0
    assert b"\x1b[5m" not in shown
    assert b"[bold]x[red]" in shown


def test_no_progress_bar_without_a_terminal(demo_file: Path) -> None:
    done = run("info", demo_file, env=environment(TERM="xterm-256color"))
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_without_rich(demo_file: Path, demo_report: str, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError('rich is not there')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [*COMMAND, "info", str(demo_file)]
    status, out, shown = on_terminal(command, environment(PYTHONPATH=path, TERM="xterm"))
    assert (status, shown) == (1, b"")
    assert without_speed(out.decode()) == without_speed(demo_report)


def test_headings_stand_out_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "one.mrc"
    path.write_bytes(titled("Ends in a colon:"))
    command = [*COMMAND, "info", str(path)]
    for changes, bold in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        env = environment(**{"TERM": "xterm", **changes})
        shown = on_terminal(command, env, stdout_too=True)[2]
        assert (b"\x1b[1mfirst titles:\x1b[0m" in shown) == bold
        assert b"\x1b[1m  Ends" not in shown
        assert b"Ends in a colon:" in shown


def test_interrupt() -> None:
    process = subprocess.Popen(
        [*COMMAND, "info", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin
    # More than a pipe holds: when it is written, the command is reading.
    process.stdin.write(titled("Again and again") * 10_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    process.stdin.close()
    assert process.stdout
    assert process.stderr
    assert (process.returncode, process.stdout.read()) == (130, b"")
    assert process.stderr.read() == b"libmarc: interrupted\n"
    process.stdout.close()
    process.stderr.close()


def test_interrupt_while_a_fifo_waits(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    command = [*COMMAND, "info", str(path)]
    pipe = subprocess.PIPE
    # Opening the FIFO for writing returns when the command has opened it.
    with subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe) as process, path.open("wb"):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"libmarc: interrupted\n")


# ---- large files ----


@pytest.mark.slow
@pytest.mark.skipif(not LOC.exists(), reason=f"{LOC.name} is not there: tools/fetch_loc.py fetches it")
def test_library_of_congress_file() -> None:
    done = run("info", LOC)
    size = LOC.stat().st_size
    assert (done.returncode, done.stderr) == (0, "")
    assert overview(done.stdout) == [size, size, 0, 0, 250_000, 0]
    assert counts(sections(done.stdout)["encodings"]) == {"UTF-8": 250_000}
    assert counts(sections(done.stdout)["most used tags"])["245"] == 250_000
