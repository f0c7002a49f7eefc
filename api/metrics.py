"""How does the server fare? Figures for Prometheus, kept for each application of its own."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from xuesi.core.ports import Catalogue

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Requests as they come, and what the catalogue holds when asked."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "xuesi_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "xuesi_request_seconds",
            "Time until the last byte of the answer.",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.registry.register(_Holdings(catalogue))

    def note(self, *, method: str, route: str, status: int, took_s: float) -> None:
        """One request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(took_s)


class _Holdings(Collector):
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def collect(self) -> Iterator[GaugeMetricFamily]:
        jobs = GaugeMetricFamily("xuesi_jobs", "Jobs by state.", labels=["state"])
        for state, count in self._catalogue.job_counts().items():
            jobs.add_metric([state], count)
        yield jobs
        for name, count in self._catalogue.counts().items():
            yield GaugeMetricFamily(f"xuesi_{name}", f"{name.replace('_', ' ')} in the catalogue.", value=count)
