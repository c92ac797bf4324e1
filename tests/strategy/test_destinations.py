"""Pushes to receivers on this machine that check the vendors' shapes: no row twice, none lost, receipts true."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import multiprocessing
import os
import re
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pandas as pd
import pyarrow.parquet as pq
import pytest

from clv_core import audit
from clv_core.errors import ClvError, NotFound, UsageError
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences.audience_filter import filter_audience
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export_records import customer_exports
from clv_core.strategy.destinations import KINDS, add_destination, open_destination, set_purpose
from clv_core.strategy.destinations.destination import WAREHOUSE
from clv_core.strategy.destinations.push import PushList, push
from clv_core.workspace import Workspace
from tests import servers
from tests.strategy.lists import SIDE

SECRET = "a-key-that-is-nowhere-else"
PEOPLE = 1230
HTTP = ("webhook", "klaviyo", "hubspot")


class Receiver(ThreadingHTTPServer):
    """Answers as a webhook, Klaviyo or HubSpot, after the faults that it is given.

    ``rows`` has what it accepted by customer, ``times`` how often it changed something for each.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[Any] = []
        self.refusal: Any = None
        self.bad: set[str] = set()
        self.rows: dict[str, Any] = {}
        self.times: dict[str, int] = {}
        self.seen: dict[str, Any] = {}
        self.requests = 0

    def take(self, customer: str, row: Any) -> None:
        if self.rows.get(customer) != row:
            self.rows[customer] = row
            self.times[customer] = self.times.get(customer, 0) + 1


class Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words: Any) -> None:
        pass

    def answer(self, code: int, body: Any = None, **headers: str) -> None:
        text = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests += 1
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault in (401, 429, 500):
            return self.answer(fault, retry_after="7")
        if self.server.refusal is not None:
            return self.answer(400, self.server.refusal)
        if fault == "nothing":
            self.close_connection = True
            return None
        kind = {"/hook": self.hook, "/crm/v3/objects/contacts/batch/upsert": self.hubspot}.get(self.path, self.klaviyo)
        code, made = kind(body)
        if fault == "taken":  # it took the rows, and nobody hears of it
            self.close_connection = True
            return None
        if fault == "broken":  # it took the rows, and says so in half a sentence
            self.send_response(code)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"resu')
            self.close_connection = True
            return None
        return self.answer(code, made)

    def hook(self, body: bytes) -> tuple[int, Any]:
        name, stamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = hmac.new(SECRET.encode(), f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
        assert self.headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"
        said = json.loads(body)
        assert len(said["customers"]) <= 500 and said["model"] == SIDE.model and said["cutoff"] == SIDE.cutoff
        if any(row["customer_id"] in self.server.bad for row in said["customers"]):
            return 422, {"message": "a row is bad"}
        if name not in self.server.seen:
            self.server.seen[name] = said
            for row in said["customers"]:
                self.server.take(row["customer_id"], row)
        return 204, None

    def hubspot(self, body: bytes) -> tuple[int, Any]:
        assert self.headers["authorization"] == f"Bearer {SECRET}"
        inputs, results, errors = json.loads(body)["inputs"], [], []
        assert 0 < len(inputs) <= 100
        for one in inputs:
            assert set(one) == {"id", "idProperty", "properties", "objectWriteTraceId"}
            assert one["idProperty"] == "email" and one["id"] == one["properties"]["email"]
            assert all(isinstance(value, str) for value in one["properties"].values())
            if "predicted_clv" in self.server.bad:
                message = 'Property values were not valid: [{"message":"Property \\"predicted_clv\\" does not exist"}]'
                return 400, {"status": "error", "message": message, "category": "VALIDATION_ERROR"}
            customer = one["properties"]["customer_id"]
            if customer in self.server.bad:
                context = {"objectWriteTraceId": [one["objectWriteTraceId"]]}
                errors.append({"status": "error", "message": "a row is bad", "context": context})
            else:
                self.server.take(customer, one["properties"])
                results.append({"id": "1", "properties": {}, "objectWriteTraceId": one["objectWriteTraceId"]})
        made = {"status": "COMPLETE", "results": results}
        return (207, {**made, "numErrors": len(errors), "errors": errors}) if errors else (200, made)

    def klaviyo(self, body: bytes) -> tuple[int, Any]:
        assert self.path == "/api/profile-bulk-import-jobs"
        assert self.headers["authorization"] == f"Klaviyo-API-Key {SECRET}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", self.headers["revision"])
        assert self.headers["content-type"] == "application/vnd.api+json" and len(body) < 5_000_000
        said = json.loads(body)["data"]
        profiles, failed = said["attributes"]["profiles"]["data"], []
        assert said["type"] == "profile-bulk-import-job" and len(profiles) <= 10_000
        for place, one in enumerate(profiles):
            assert one["type"] == "profile" and "@" in one["attributes"]["email"]
            assert isinstance(one["attributes"]["properties"]["predicted_clv"], float)
            customer = one["attributes"]["external_id"]
            if customer in self.server.bad:
                pointer = f"/data/attributes/profiles/data/{place}/attributes/phone_number"
                failed.append({"attributes": {"detail": "a row is bad", "source": {"pointer": pointer}}})
            else:
                self.server.take(customer, one["attributes"])
        job = f"job{len(self.server.seen)}"
        self.server.seen[job] = [failed, ["queued", "processing"]]
        return 202, {"data": {"type": "profile-bulk-import-job", "id": job, "attributes": {"status": "queued"}}}

    def do_GET(self) -> None:
        job, _, rest = self.path.removeprefix("/api/profile-bulk-import-jobs/").partition("/")
        failed, states = self.server.seen[job]
        if rest == "import-errors":
            return self.answer(200, {"data": failed, "links": {"next": None}})
        status = states.pop(0) if states else "complete"
        return self.answer(200, {"data": {"id": job, "attributes": {"status": status, "failed_count": len(failed)}}})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with servers.serving(Receiver()) as server:
        yield server


def scored(n: int = PEOPLE) -> pd.DataFrame:
    ids = [f"{i:05}" for i in range(n)]
    values = [float(n - i) for i in range(n)]
    return pd.DataFrame(
        {"customer_id": ids, "as_of": "1998-07-01", "horizon_days": 182, "p_purchase": 0.5, "predicted_clv": values}
        | {"clv_p10": 0.0, "clv_p90": values, "tier": 1, "model": SIDE.model}
    )


def contacts(n: int = PEOPLE) -> Contacts:
    people = pd.DataFrame({"customer_id": [f"{i:05}" for i in range(n)], "first_name": "Zoë", "consent": "yes"})
    people["email"] = "p" + people["customer_id"] + "@example.org"
    people.loc[people.index[-30:], "consent"] = "no"
    return Contacts(people)


def send(root: Path, to: str, waits: list[float] | None = None, people: pd.DataFrame | None = None, **more: Any) -> Any:
    work = Workspace(root)
    wait: Callable[[float], None] = (lambda _: None) if waits is None else waits.append
    given = {"progress": NoProgress(), "wait": wait} | more
    reached, stop = given.pop("contacts", contacts()), given.pop("stop", None)
    listed = PushList(scored() if people is None else people, SIDE, reached, stop)
    return push(work, open_destination(work, to), listed, **given)


@pytest.fixture
def add(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Save a destination of a kind under its name, and return the workspace's folder."""
    monkeypatch.setenv("THE_KEY", SECRET)

    def made(kind: str) -> Path:
        address = f"http://127.0.0.1:{receiver.server_port}{'/hook' if kind == 'webhook' else ''}"
        add_destination(Workspace(tmp_path / "workspace"), kind, kind, address, "env:THE_KEY")
        return tmp_path / "workspace"

    return made


def expected(kind: str) -> set[str]:
    found = filter_audience(scored(), KINDS[kind].format, contacts(), by_consent=True)
    assert set(found.customers["customer_id"]) == {f"{i:05}" for i in range(PEOPLE - 30)}
    return set(found.customers["customer_id"])


@pytest.mark.parametrize("fault", [429, 500, "broken", "nothing", "taken"])
@pytest.mark.parametrize("kind", HTTP)
def test_no_row_is_lost_or_sent_twice_whatever_a_receiver_answers(
    kind: str, fault: Any, receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root, waits = add(kind), list[float]()
    receiver.faults = [fault, "", fault, fault]
    pushed = send(root, kind, waits)
    assert set(receiver.rows) == expected(kind) and set(receiver.times.values()) == {1}
    assert (pushed.sent, pushed.failed) == (len(receiver.rows), [])
    if fault == 429:
        assert waits.count(7.0) == (3 if kind != "klaviyo" else 1)
    [receipt] = customer_exports(Workspace(root))
    assert (receipt.format, receipt.rows, receipt.left_out) == (kind, len(receiver.rows), pushed.left_out)
    assert receipt.settings["complete"] and receipt.model == SIDE.model
    for path in root.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("kind", HTTP)
def test_second_push_sends_what_changed(kind: str, receiver: Receiver, add: Callable[[str], Path]) -> None:
    root = add(kind)
    first, asked = send(root, kind), receiver.requests
    again = send(root, kind)
    assert (again.sent, again.unchanged, receiver.requests) == (0, first.sent, asked)
    people = scored()
    people.loc[people["customer_id"] == "00007", "predicted_clv"] = 5.0
    assert send(root, kind, people=people).sent == 1
    assert receiver.times["00007"] == 2 and sum(receiver.times.values()) == first.sent + 1
    assert [line.rows for line in customer_exports(Workspace(root))] == [1, first.sent]
    assert send(root, kind, people=people.iloc[600:]).sent == 0  # a segment of the same customers
    assert send(root, kind, people=people).sent == 0


@pytest.mark.parametrize("kind", HTTP)
def test_bad_row_is_named_and_all_others_arrive(kind: str, receiver: Receiver, add: Callable[[str], Path]) -> None:
    root, receiver.bad = add(kind), {"00042"}
    pushed = send(root, kind)
    [(customer, reason)] = pushed.failed
    assert customer == "00042" and "a row is bad" in reason
    assert set(receiver.rows) == expected(kind) - {"00042"} and set(receiver.times.values()) == {1}
    assert customer_exports(Workspace(root))[0].settings["failed"] == 1
    receiver.bad = set()
    assert send(root, kind).sent == 1 and set(receiver.rows) == expected(kind)


def test_property_that_nobody_created_in_hubspot_stops_the_push_at_once(
    receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root, receiver.bad = add("hubspot"), {"predicted_clv"}
    with pytest.raises(ClvError, match=r"accepted 0, 1,200 are left.*predicted_clv.* does not exist"):
        send(root, "hubspot")
    assert receiver.requests == 1


@pytest.mark.parametrize(
    "refusal", [{"error": "no field clv_p10"}, b"no field\n clv_p10", {"errors": ["no field clv_p10"]}]
)
@pytest.mark.parametrize(("kind", "tried"), [("webhook", PEOPLE - 30), ("klaviyo", PEOPLE - 30), ("hubspot", 300)])
def test_a_receiver_that_refuses_everything_is_asked_a_few_times_and_quoted(
    kind: str, tried: int, refusal: Any, receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root, receiver.refusal = add(kind), refusal
    with pytest.raises(ClvError, match="no field clv_p10") as caught:
        send(root, kind)
    assert receiver.requests <= 3 + 10
    told, everybody = caught.value.params, len(expected(kind))
    assert told["sent"] == 0 and told["refused"] + told["left"] == everybody
    assert tried <= told["refused"] < tried + 10
    [receipt] = customer_exports(Workspace(root))
    assert (receipt.rows, receipt.settings["refused"]) == (0, told["refused"])
    assert not receipt.settings["complete"]
    receiver.refusal = None
    assert send(root, kind).sent == everybody == len(receiver.rows)


def test_refusal_of_everything_after_the_first_batch_keeps_what_was_accepted(
    receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root, people = add("webhook"), scored(5000)
    receiver.bad = {*people["customer_id"][500:]}
    with pytest.raises(ClvError, match=r"accepted 500\. 1,50\d were refused alike, 2,99\d not sent") as caught:
        send(root, "webhook", people=people, contacts=None)
    assert caught.value.result is not None and caught.value.result["sent"] == 500
    assert receiver.requests <= 1 + 3 + 10
    receiver.bad = set()
    assert send(root, "webhook", people=people, contacts=None).sent == 4500
    assert set(receiver.times.values()) == {1} and len(receiver.rows) == 5000


@pytest.mark.parametrize("bad", [[7, 600, 1100], range(40, 1200, 50), range(1000, 1100)])
def test_bad_rows_in_every_batch_are_named_and_all_others_arrive(
    bad: Sequence[int], receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root, receiver.bad = add("webhook"), {f"{place:05}" for place in bad}
    pushed = send(root, "webhook")
    assert {customer for customer, _ in pushed.failed} == receiver.bad and pushed.refused == 0
    assert set(receiver.rows) == expected("webhook") - receiver.bad and set(receiver.times.values()) == {1}
    assert len(pushed.failed) == len(receiver.bad)
    again = send(root, "webhook")  # nobody but those is left
    assert (again.sent, len(again.failed)) == (0, len(receiver.bad))


class Kill:
    """Kills the process before a batch."""

    def report(self, stage: str, done: int, total: int, **figures: Any) -> None:
        if done >= 500:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("kind", ["webhook", pytest.param("hubspot", marks=pytest.mark.slow)])
def test_push_after_a_kill_goes_on_and_tells_what_was_sent(
    kind: str, receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root = add(kind)
    process = multiprocessing.get_context("spawn").Process(target=send, args=(root, kind), kwargs={"progress": Kill()})
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL and len(receiver.rows) == 500
    assert customer_exports(Workspace(root)) == []
    pushed = send(root, kind)
    assert (pushed.recovered, pushed.sent) == (500, len(expected(kind)) - 500)
    assert set(receiver.rows) == expected(kind) and set(receiver.times.values()) == {1}
    assert customer_exports(Workspace(root))[0].settings["sent_before_kill"] == 500
    assert send(root, kind).recovered == 0


def test_refusal_stops_with_a_sentence_and_a_receipt_of_what_was_sent(
    receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root = add("webhook")
    receiver.faults = ["", 401]
    with pytest.raises(ClvError, match=r"accepted 500, 700 are left.*HTTP 401") as caught:
        send(root, "webhook")
    assert caught.value.result is not None and caught.value.result["sent"] == 500
    [receipt] = customer_exports(Workspace(root))
    assert receipt.rows == 500 and not receipt.settings["complete"]
    assert send(root, "webhook").sent == 700
    receiver.faults = [500] * 6
    with pytest.raises(ClvError, match="did not answer as expected"):
        send(root, "webhook", people=scored().assign(predicted_clv=1.0))


@pytest.mark.parametrize("kind", HTTP)
def test_dry_run_sends_nothing_and_masks_contacts(kind: str, receiver: Receiver, add: Callable[[str], Path]) -> None:
    checked = send(add(kind), kind, dry_run=True)
    assert receiver.requests == 0 and checked.changed == len(expected(kind)) and len(checked.examples) == 10
    assert checked.left_out == {"no_consent": 30} and checked.audience == PEOPLE - 30
    text = json.dumps(checked.examples, ensure_ascii=False)
    assert "Zoë" not in text and "p00000@" not in text and ("p…@example.org" in text) == (kind != "webhook")


def test_bucket_holds_everybody_once_with_model_cutoff_interval_and_tier(tmp_path: Path) -> None:
    work = Workspace(tmp_path / "workspace")
    add_destination(work, "lake", "bucket", f"file://{tmp_path}/lake", purpose=WAREHOUSE)
    assert send(work.root, "lake").sent == PEOPLE
    assert send(work.root, "lake").sent == 0
    fewer = scored().iloc[1:]
    assert send(work.root, "lake", people=fewer).sent == PEOPLE - 1  # who left is gone there too
    rows = pq.read_table(tmp_path / "lake" / SIDE.dataset / "scores.parquet").to_pandas()
    assert rows["customer_id"].tolist() == fewer["customer_id"].tolist()
    assert {"model", "clv_p10", "clv_p90", "tier", "consent"} <= set(rows) and set(rows["cutoff"]) == {SIDE.cutoff}


@dataclass(frozen=True)
class Lake:
    """A bucket ``lake`` that takes one key, which may put objects and do nothing else."""

    port: int
    secret: str

    def ask(self, method: str, path: str, content: bytes = b"") -> bytes:
        answer = httpx.request(method, f"http://127.0.0.1:{self.port}/{path}", content=content)
        assert answer.is_success
        return answer.content

    def rows(self) -> pd.DataFrame:
        self.ask("POST", "moto-api/reset-auth", b"inf")
        found = self.ask("GET", f"lake/clv/{SIDE.dataset}/scores.parquet")
        self.ask("POST", "moto-api/reset-auth", b"0")
        return pd.read_parquet(io.BytesIO(found))


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    """The secret of its key has characters that mean something in an address."""
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}'
    scope = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x"
    with servers.s3() as port:

        def iam(action: str, **words: str) -> str:
            said = {"Action": action, "UserName": "clv", **words}
            return httpx.post(f"http://127.0.0.1:{port}", data=said, headers={"Authorization": scope}).text

        iam("CreateUser")
        iam("PutUserPolicy", PolicyName="put", PolicyDocument=policy)
        key, secret = "none", ""
        while not {"/", "+"} <= {*secret}:
            iam("DeleteAccessKey", AccessKeyId=key)
            made = iam("CreateAccessKey")
            key, secret = (re.findall(f"<{name}>([^<]+)", made)[0] for name in ("AccessKeyId", "SecretAccessKey"))
        found = Lake(port, f"{key}:{secret}")
        found.ask("PUT", "lake")
        found.ask("POST", "moto-api/reset-auth", b"0")
        yield found


@pytest.mark.slow
def test_bucket_keeps_its_last_object_until_the_next_is_whole(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("THE_KEY", lake.secret)
    work, people, errors = Workspace(tmp_path / "workspace"), scored(), list[str]()
    with servers.serving(servers.Line(lake.port)) as line:
        address = f"s3://lake/clv?endpoint=http://127.0.0.1:{line.server_port}&region=eu-central-1"
        add_destination(work, "lake", "bucket", address, "env:THE_KEY", purpose=WAREHOUSE)
        assert send(work.root, "lake").sent == PEOPLE
        for share in (0.0, 0.5, 0.99):
            before, people = lake.rows(), people.iloc[1:].assign(predicted_clv=people["predicted_clv"] + 1)
            line.passed, line.most = 0, share * line.passed
            with pytest.raises(ClvError, match=f"accepted 0, {len(people):,} are left.*NETWORK_CONNECTION") as caught:
                send(work.root, "lake", people=people)
            errors += traceback.format_exception(caught.value)
            receipt = customer_exports(work)[0]
            assert (receipt.rows, receipt.settings["complete"]) == (0, False)
            pd.testing.assert_frame_equal(lake.rows(), before)
            line.passed, line.most = 0, inf
            assert send(work.root, "lake", people=people).sent == len(people)
            columns = ["customer_id", "predicted_clv"]
            assert lake.rows()[columns].to_dict() == people.reset_index()[columns].to_dict()
    add_destination(work, "lake", "bucket", address.replace(str(line.server_port), str(lake.port)), "env:THE_KEY")
    key, _, secret = lake.secret.partition(":")
    for wrong, reason in ((f"{key}:{secret[::-1]}", "SIGNATURE_DOES_NOT_MATCH"), (f"x:{secret}", "INVALID_ACCESS_KEY")):
        monkeypatch.setenv("THE_KEY", wrong)
        with pytest.raises(ClvError, match=f"lake refused the request .{reason}") as caught:
            send(work.root, "lake")
        errors += traceback.format_exception(caught.value)
    texts = [
        *map(str.encode, errors),
        caplog.text.encode(),
        *(p.read_bytes() for p in work.root.rglob("*") if p.is_file()),
    ]
    for one in (secret, quote(secret, safe=""), secret[::-1]):
        assert not [text for text in texts if one.encode() in text]
    assert any(b"THE_KEY" in text for text in texts)  # the search sees the reference


@pytest.mark.slow
def test_table_of_postgresql_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", SECRET)
    work = Workspace(tmp_path / "workspace")
    with servers.postgresql() as (port, run):
        run(f"CREATE ROLE me LOGIN PASSWORD '{SECRET}'; GRANT CREATE ON SCHEMA public TO me")
        address = f"postgresql://me@127.0.0.1:{port}/postgres"
        add_destination(work, "dwh", "postgresql", address, "env:THE_KEY", "scores", WAREHOUSE)
        assert send(work.root, "dwh").sent == PEOPLE
        assert send(work.root, "dwh").sent == 0
        fewer = scored().iloc[1:].assign(predicted_clv=2.5)
        assert send(work.root, "dwh", people=fewer).sent == PEOPLE - 1
        found = run("SELECT count(*), count(DISTINCT customer_id), sum(predicted_clv), min(cutoff) FROM scores")
        assert found == f"{PEOPLE - 1}|{PEOPLE - 1}|{2.5 * (PEOPLE - 1)}|{SIDE.cutoff}"
        monkeypatch.setenv("THE_KEY", "wrong")
        with pytest.raises(ClvError, match="refused the request") as caught:
            send(work.root, "dwh", people=fewer.assign(predicted_clv=1.0))
        assert "wrong" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.slow
def test_table_of_any_name_holds_each_customer_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables ``Scores`` were made under that very name by earlier versions, which added to them again and again."""
    monkeypatch.setenv("THE_KEY", SECRET)
    work = Workspace(tmp_path / "workspace")
    with servers.postgresql() as (port, run):
        run(f"CREATE ROLE me LOGIN PASSWORD '{SECRET}'; CREATE SCHEMA me AUTHORIZATION me; CREATE SCHEMA \"Mart\"")
        run('GRANT ALL ON SCHEMA public, "Mart" TO me; SET ROLE me; CREATE TABLE scores (dataset text)')
        run(f"SET ROLE me; INSERT INTO scores VALUES ('{SIDE.dataset}')")
        address = f"postgresql://me@127.0.0.1:{port}/postgres"
        names = {"Scores": "me", "order": "me", "2024": "me", "Mart.Order": "Mart", "mine": "public", "表": "me"}
        for name, schema in names.items():
            table = name.rpartition(".")[2]
            add_destination(work, "dwh", "postgresql", address, "env:THE_KEY", name, WAREHOUSE)
            if schema == "public":  # somebody made it there, and the role's own schema comes first
                run('CREATE TABLE public.mine AS SELECT * FROM me."Scores"; ALTER TABLE public.mine OWNER TO me')
            for value in (1.0, 2.0):
                assert send(work.root, "dwh", people=scored().assign(predicted_clv=value)).sent == PEOPLE
            found = run(f'SELECT count(*), count(DISTINCT customer_id), sum(predicted_clv) FROM "{schema}"."{table}"')
            assert found == f"{PEOPLE}|{PEOPLE}|{2 * PEOPLE}", name
        assert run("SELECT count(*) FROM me.scores") == "1"
        assert run("SELECT count(*) FROM pg_tables WHERE schemaname IN ('me', 'public', 'Mart')") == str(len(names) + 1)


def test_columns_that_the_first_customer_lacks_are_sent(tmp_path: Path) -> None:
    work = Workspace(tmp_path / "workspace")
    add_destination(work, "lake", "bucket", f"file://{tmp_path}/lake")
    people = scored(3).assign(clv_p50=[None, 2.0, 3.0])
    send(work.root, "lake", people=people, contacts=None)
    rows = pq.read_table(tmp_path / "lake" / SIDE.dataset / "scores.parquet").to_pandas()
    assert rows["clv_p50"].tolist()[1:] == [2.0, 3.0] and pd.isna(rows["clv_p50"][0])


def consent_of(people: Contacts, **words: str) -> Contacts:
    """Contacts in which some customers answer otherwise; ids are written ``c00007``."""
    assert people.customers is not None
    said = {name.removeprefix("c"): word for name, word in words.items()}
    consent = people.customers["customer_id"].map(said).fillna(people.customers["consent"])
    return replace(people, customers=people.customers.assign(consent=consent))


@dataclass(frozen=True)
class Place:
    """A destination of one's own, what is there of each customer, and what gives its table a column ``consent``."""

    add: Callable[..., Any]
    rows: Callable[[], pd.DataFrame]
    holds: Callable[[], set[str]]
    widen: Callable[[], Any]


@pytest.fixture(
    params=[
        "webhook",
        "file",
        pytest.param("table", marks=pytest.mark.slow),
        pytest.param("s3", marks=pytest.mark.slow),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Each kind of destination that gets ids and scores; it is called ``it``."""
    work, kind = Workspace(tmp_path / "workspace"), request.param
    monkeypatch.setenv("THE_KEY", SECRET)

    def made(kind: str, address: str, rows: Callable[[], pd.DataFrame], secret: str = "env:THE_KEY") -> Place:
        def add(purpose: str = "") -> None:
            add_destination(work, "it", kind, address, secret, "Scores", purpose)

        return Place(add, rows, lambda: set(rows()["customer_id"]), lambda: None)

    if kind == "webhook":
        receiver = request.getfixturevalue("receiver")
        address = f"http://127.0.0.1:{receiver.server_port}/hook"
        yield made(
            "webhook", address, lambda: pd.DataFrame(list(receiver.rows.values()), columns=["customer_id", "consent"])
        )
    elif kind == "file":
        path = tmp_path / "lake" / SIDE.dataset / "scores.parquet"
        yield made("bucket", f"file://{tmp_path}/lake", lambda: pd.read_parquet(path), "")
    elif kind == "s3":
        lake = request.getfixturevalue("lake")
        monkeypatch.setenv("THE_KEY", lake.secret)
        yield made("bucket", f"s3://lake/clv?endpoint=http://127.0.0.1:{lake.port}&region=eu-central-1", lake.rows)
    else:
        with servers.postgresql() as (port, run):
            run(f"CREATE ROLE me LOGIN PASSWORD '{SECRET}'; GRANT CREATE ON SCHEMA public TO me")

            def rows() -> pd.DataFrame:
                text = run("SELECT coalesce(json_agg(t), '[]') FROM \"Scores\" AS t")
                return pd.DataFrame(json.loads(text), columns=["customer_id", "consent"])

            one = made("postgresql", f"postgresql://me@127.0.0.1:{port}/postgres", rows)
            yield replace(one, widen=lambda: run('ALTER TABLE "Scores" ADD COLUMN consent text'))


def test_purpose_decides_who_is_sent_and_a_smaller_push_says_so_before(place: Place, tmp_path: Path) -> None:
    """The receiver's rows, one by one, against the words that the shop has: marketing, a warehouse, and marketing."""
    root = tmp_path / "workspace"
    everyone, agreed = {f"{i:05}" for i in range(PEOPLE)}, {f"{i:05}" for i in range(PEOPLE - 30)}
    place.add()
    assert send(root, "it", dry_run=True).left_out == {"no_consent": 30}
    first = send(root, "it")
    assert (first.sent, first.audience, first.left_out, first.notes) == (
        PEOPLE - 30,
        PEOPLE - 30,
        {"no_consent": 30},
        (),
    )
    assert place.holds() == agreed and not place.rows().get("consent", pd.Series(dtype=str)).notna().any()

    place.widen()
    set_purpose(Workspace(root), "it", WAREHOUSE)
    people = contacts()
    assert people.customers is not None
    people = Contacts(people.customers.iloc[1:])  # nothing is known of the first
    assert send(root, "it", contacts=people).left_out == {}
    rows = place.rows().set_index("customer_id")["consent"]
    assert set(rows.index) == everyone and rows.value_counts().to_dict() == {"yes": PEOPLE - 31, "no": 30, "unknown": 1}
    assert rows["00000"] == "unknown" and set(rows.index[rows == "no"]) == everyone - agreed

    set_purpose(Workspace(root), "it", "marketing")
    said = list[str]()
    checked = send(root, "it", dry_run=True, tell=lambda note: said.append(note.text()))
    assert (checked.more_left_out, checked.left_out, said) == (30, {"no_consent": 30}, [])
    assert "30 more customers than in the last push are left out of “it”" in checked.notes[0].text()
    smaller = send(root, "it", tell=lambda note: said.append(f"{note.text()} {len(place.holds())}"))
    assert smaller.sent == PEOPLE - 30
    assert said[0].startswith("30 more customers") and said[0].endswith(f" {PEOPLE}")  # before anything is sent
    is_replaced = KINDS[open_destination(Workspace(root), "it").kind].most_rows is None
    assert place.holds() == (agreed if is_replaced else everyone)
    assert [text for text in said if "30 of those left out were sent earlier" in text] == (
        [] if is_replaced else said[1:]
    )
    told = len(said)
    assert send(root, "it", tell=lambda note: said.append(note.text())).more_left_out == 0 and len(said) == told


def test_a_later_day_alone_changes_no_row(place: Place, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    place.add()
    first = send(root, "it")
    tomorrow = scored().assign(as_of="1998-07-02")
    assert send(root, "it", people=tomorrow).sent == 0
    is_replaced = KINDS[open_destination(Workspace(root), "it").kind].most_rows is None
    tomorrow.loc[tomorrow["customer_id"].isin(["00003", "00007"]), "predicted_clv"] = 5.0
    assert send(root, "it", people=tomorrow).sent == (first.sent if is_replaced else 2)
    rows = place.rows()
    assert len(rows) == rows["customer_id"].nunique() == first.sent


def test_a_table_or_file_is_emptied_when_nobody_agrees_any_more(place: Place, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    place.add()
    send(root, "it")
    withdrawn = contacts()
    assert withdrawn.customers is not None
    none = send(root, "it", contacts=Contacts(withdrawn.customers.assign(consent="no")))
    assert (none.sent, none.audience, none.left_out, none.more_left_out) == (0, 0, {"no_consent": PEOPLE}, PEOPLE - 30)
    is_replaced = KINDS[open_destination(Workspace(root), "it").kind].most_rows is None
    assert len(place.holds()) == (0 if is_replaced else PEOPLE - 30)
    receipt = customer_exports(Workspace(root))[0]
    assert (receipt.rows, receipt.left_out, receipt.settings["complete"]) == (0, {"no_consent": PEOPLE}, True)


@pytest.mark.slow
def test_table_without_a_consent_column_is_not_altered_and_filled_once_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", SECRET)
    work = Workspace(tmp_path / "workspace")
    with servers.postgresql() as (port, run):
        run(f"CREATE ROLE me LOGIN PASSWORD '{SECRET}'; GRANT CREATE ON SCHEMA public TO me")
        add_destination(work, "dwh", "postgresql", f"postgresql://me@127.0.0.1:{port}/postgres", "env:THE_KEY")
        columns = "SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 'clv_scores'::regclass"
        send(work.root, "dwh")
        before = run(columns)
        set_purpose(work, "dwh", WAREHOUSE)
        for _ in range(2):
            pushed = send(work.root, "dwh")
            assert pushed.sent == PEOPLE and run(columns) == before
            assert "“clv_scores” has no column consent and was not altered: 30 without" in pushed.notes[-1].text()
        run("ALTER TABLE clv_scores ADD COLUMN consent text")
        filled = send(work.root, "dwh")
        assert (filled.sent, filled.notes) == (PEOPLE, ())
        found = run("SELECT consent, count(*) FROM clv_scores GROUP BY consent ORDER BY consent")
        assert found.split() == ["no|30", f"yes|{PEOPLE - 30}"]
        assert send(work.root, "dwh").sent == 0


def test_consent_holds_for_an_address_and_silence_is_none(receiver: Receiver, add: Callable[[str], Path]) -> None:
    people = contacts(40)  # of whom the last 30 did not agree
    assert people.customers is not None
    shared = people.customers["email"].where(people.customers["customer_id"] != "00004", "P00020@example.org ")
    told = consent_of(replace(people, customers=people.customers.assign(email=shared)), c00006="maybe", c00007="")
    told = replace(told, customers=told.customers.drop(index=8), suppressed=["00009"])  # type: ignore[union-attr]
    pushed = send(add("webhook"), "webhook", people=scored(40), contacts=told)
    assert set(receiver.rows) == {f"{i:05}" for i in (0, 1, 2, 3, 5)}
    assert pushed.left_out == {"suppressed": 1, "no_consent": 33, "shared_contact": 1}
    assert any("maybe" in note.text() for note in pushed.notes)


def test_where_nothing_says_who_agreed_a_push_of_marketing_warns(
    receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root = add("webhook")
    [note] = send(root, "webhook", contacts=None).notes
    assert len(receiver.rows) == PEOPLE and note.text().startswith("Nothing says who agreed to marketing: all 1,230 go")
    assert send(root, "webhook", contacts=Contacts(assume_consent=True)).notes == ()


def test_destination_of_an_earlier_version_is_of_marketing_and_a_purpose_is_logged(
    receiver: Receiver, add: Callable[[str], Path]
) -> None:
    root = add("webhook")
    work = Workspace(root)
    path = root / "destinations" / "webhook" / "destination.json"
    saved = json.loads(path.read_text())
    assert saved.pop("purpose") == "marketing"
    path.write_text(json.dumps(saved))
    assert open_destination(work, "webhook").purpose == "marketing"
    assert send(root, "webhook").left_out == {"no_consent": 30}
    set_purpose(work, "webhook", WAREHOUSE)
    add_destination(work, "webhook", "webhook", saved["address"], "env:ANOTHER_KEY")  # which leaves the purpose alone
    assert open_destination(work, "webhook").purpose == WAREHOUSE
    facts = [(line["action"], line.get("destination"), line.get("purpose")) for line in audit.lines(work)]
    assert facts[:2] == [("destinations add", "webhook", WAREHOUSE), ("destinations change", "webhook", WAREHOUSE)]
    add("klaviyo")
    with pytest.raises(UsageError, match="klaviyo cannot be for “warehouse”, only for marketing"):
        set_purpose(work, "klaviyo", WAREHOUSE)
    with pytest.raises(UsageError, match="only for marketing"):
        add_destination(work, "hubspot", "hubspot", secret="env:X", purpose=WAREHOUSE)


def test_destinations_take_references_and_no_secrets(tmp_path: Path) -> None:
    work = Workspace(tmp_path / "workspace")
    with pytest.raises(UsageError, match="by reference"):
        add_destination(work, "crm", "hubspot", secret=SECRET)
    with pytest.raises(UsageError, match="no password"):
        add_destination(work, "db", "postgresql", f"postgresql://me:{SECRET}@host/db")
    with pytest.raises(UsageError, match="https"):
        add_destination(work, "hook", "webhook", "http://elsewhere.example/hook", "env:X")
    for table in ('scores"; DROP TABLE x', "a.b.c", ".scores", "my scores"):
        with pytest.raises(UsageError, match="cannot name a table"):
            add_destination(work, "db", "postgresql", "postgresql://me@host/db", table=table)
    with pytest.raises(NotFound, match="Saved: -"):
        open_destination(work, "crm")
    assert not list(work.root.rglob("destination.json"))


def test_webhook_is_signed_as_the_standard_webhooks_example() -> None:
    """Secret, id, time and body of the specification's own test (standard-webhooks, libraries' test vectors)."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = '{"test": 2432232314}'
    signed = hmac.new(key, f"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{body}".encode(), hashlib.sha256).digest()
    assert base64.b64encode(signed).decode() == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
