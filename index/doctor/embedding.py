"""What is to be known of the library's embedding models? A change under way, vectors that nothing uses, a setting that is not obeyed."""

from collections import Counter
from contextlib import suppress

from index.change import Progress
from index.doctor.finding import NOTE, WARNING, Finding, Parts
from index.versions import every_version
from xuesi.core import models
from xuesi.core.text import counted


def examine_models(parts: Parts) -> list[Finding]:
    """A warning where a change does not get on; all else are notes."""
    return [*_change(parts.change), *_kept(parts), *_setting(parts)]


def _change(progress: Progress | None) -> list[Finding]:
    if progress is None:
        return []
    told = (
        f"The library is being embedded with {progress.name}: {progress.done} of {counted(progress.total, 'passage')}."
    )
    hint = "Wait until it is done, or give it up: xuesi reindex --cancel."
    if progress.problem is None:
        return [Finding("model-change", NOTE, told, hint)]
    return [Finding("model-change", WARNING, f"{told} It does not get on.", hint, (progress.problem.detail,))]


def _kept(parts: Parts) -> list[Finding]:
    used = {parts.indexes.fingerprint, parts.change and parts.change.fingerprint}
    total: Counter[str] = Counter()
    for version in every_version(parts.catalogue):
        with suppress(OSError):  # a finding of its own
            sizes = parts.files.vector_bytes(version)
            total.update({model: size for model, size in sizes.items() if model not in used})
    if not total:
        return []
    items = tuple(f"{fingerprint}: {size / 1e6:.2f} MB" for fingerprint, size in sorted(total.items()))
    detail = "Vectors of embedding models that are not in use are kept for the way back."
    return [Finding("vectors-kept", NOTE, detail, "To free their room: xuesi reindex --drop-old.", items)]


def _setting(parts: Parts) -> list[Finding]:
    settings = parts.settings
    own = models.settings_in_force(settings, parts.catalogue).embedding_model
    if own == settings.embedding_model:
        return []
    detail = f"The library goes by the embedding model {own}, which was chosen for it, not by embedding_model={settings.embedding_model}."
    return [Finding("model-setting", NOTE, detail, f"Set embedding_model to {own}, so that both say the same.")]
