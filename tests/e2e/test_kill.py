"""Is nothing lost or doubled when server, worker and reading processes are killed in the middle of an ingest? The long form is `python -m benchmarks.kill`."""

from pathlib import Path

from benchmarks.kill import measure


def test_everything_is_live_once_after_kills_at_random(model_dir: Path) -> None:
    victims = ["reader", "worker", "zygote", "server", "reader", "worker"]
    outcome = measure(files=12, victims=victims, seed=0, models=model_dir.parent)
    assert outcome.killed.total() >= 5
    assert outcome.killed["server"] == 1
    assert (outcome.live, outcome.doubled, outcome.unfound, outcome.findings) == (12, 0, [], "")
    assert outcome.left_running == 0
