"""Jobs are seen, cancelled, retried and followed over HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.api_library import BASE, events, opened, served
from xuesi.core.domain import JobId, JobState
from xuesi.services import Services

API = "/api/v1"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with opened(tmp_path) as services:
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE) as client:
        yield client


def queued(client: TestClient | httpx.Client, text: str = "文件。") -> str:
    response = client.post(f"{API}/documents", files={"file": (f"{text}.txt", text.encode())})
    job: str = response.json()["documents"][0]["job"]["id"]
    return job


def fail(services: Services, job_id: str) -> None:
    now = datetime.now(UTC)
    job = JobId(job_id)
    assert services.catalogue.claim_job(job, now=now, lease_until=now + timedelta(minutes=1))
    services.catalogue.finish_job(job, state=JobState.FAILED, now=now, error_code="no-text", error_detail="No text.")


def test_jobs_are_listed_newest_first_and_by_state(client: TestClient, services: Services) -> None:
    ids = [queued(client, f"第{n}号。") for n in range(3)]
    fail(services, ids[1])
    assert [job["id"] for job in client.get(f"{API}/jobs").json()["items"]] == ids[::-1]
    (failed,) = client.get(f"{API}/jobs", params={"state": "failed"}).json()["items"]
    assert failed["id"] == ids[1]
    assert failed["error"] == {"code": "no-text", "detail": "No text.", "document_id": None}
    assert (failed["version"], failed["file_name"]) == (1, "第1号。.txt")
    part = client.get(f"{API}/jobs", params={"limit": 2}).json()
    rest = client.get(f"{API}/jobs", params={"limit": 2, "cursor": part["next"]}).json()
    assert [job["id"] for job in rest["items"]] == ids[:1]
    assert client.get(f"{API}/jobs", params={"state": "lost"}).status_code == 422


def test_job_is_cancelled_once(client: TestClient) -> None:
    job_id = queued(client)
    assert client.post(f"{API}/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    again = client.post(f"{API}/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")
    assert client.get(f"{API}/documents").json()["items"][0]["state"] == "cancelled"


def test_failed_job_is_queued_again_and_a_waiting_one_is_not(client: TestClient, services: Services) -> None:
    job_id = queued(client)
    waiting = client.post(f"{API}/jobs/{job_id}/retry")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "wrong-state")
    fail(services, job_id)
    retried = client.post(f"{API}/jobs/{job_id}/retry")
    assert (retried.status_code, retried.json()["state"], retried.json()["error"]) == (200, "queued", None)


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_unknown_job_is_not_found(client: TestClient, action: str) -> None:
    assert client.post(f"{API}/jobs/none/{action}").json()["code"] == "job-not-found"


def test_events_tell_unfinished_jobs_first_and_then_every_change_once(services: Services) -> None:
    with served(create_app(services)) as url, httpx.Client(base_url=url) as client, httpx.Client(base_url=url) as other:
        first = queued(client, "第一。")
        with client.stream("GET", f"{API}/jobs/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            told = events(response)
            assert _next(told) == (first, "queued")
            second = queued(other, "第二。")
            assert _next(told) == (second, "queued")
            now = datetime.now(UTC)
            later = now + timedelta(minutes=1)
            services.catalogue.claim_job(JobId(first), now=now, lease_until=later)
            assert _next(told) == (first, "running")
            now = datetime.now(UTC)
            services.catalogue.progress(JobId(first), stage="reading", done=1, total=2, now=now, lease_until=later)
            name, data = next(told)
            assert (name, json.loads(data)["stage"], json.loads(data)["done"]) == ("job", "reading", 1)
            services.catalogue.finish_job(JobId(first), state=JobState.CANCELLED, now=datetime.now(UTC))
            assert _next(told) == (first, "cancelled")
            # A worker took the time, then waited for its turn to write, and another one's change was told meanwhile.
            services.catalogue.finish_job(JobId(second), state=JobState.CANCELLED, now=now - timedelta(seconds=1))
            assert _next(told) == (second, "cancelled")


def _next(told: Iterator[tuple[str, str]]) -> tuple[str, str]:
    name, data = next(told)
    assert name == "job"
    job = json.loads(data)
    return job["id"], job["state"]
