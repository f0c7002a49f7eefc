"""What can be done with a library where no server runs? The indexes made anew, another model, backup and restore: the folder is owned meanwhile."""

import contextlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from index.backup import clear_interrupted, open_backup
from index.catalogue.files import FileStore
from index.change import ModelChange
from index.indexes import Indexes
from index.owner import owned
from index.publish import Publisher
from index.rebuild import Rebuilt, rebuild
from index.restore import Restored, restore
from xuesi.core import models
from xuesi.core.errors import NotFound, WrongState
from xuesi.core.models import Choice
from xuesi.core.ports import Catalogue
from xuesi.core.settings import Settings
from xuesi.wiring import catalogue_of, models_of


def reindex_offline(settings: Settings) -> Rebuilt:
    """Rebuild the indexes where no server runs, damaged ones too.

    Raises:
        IndexMismatch: If the settings' model is not the one of the indexes.
        DataFolderBusy: If a server runs.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(owned(settings.data_dir))
        catalogue = stack.enter_context(contextlib.closing(catalogue_of(settings)))
        files, embedder = FileStore(settings.data_dir / "files"), models_of(settings, catalogue).in_force()
        indexes = _indexes_to_replace(settings, catalogue, embedder.fingerprint, stack)
        return rebuild(
            indexes, catalogue=catalogue, publisher=Publisher(catalogue=catalogue, files=files, indexes=indexes)
        )


def change_model_offline(settings: Settings, name: str, *, base_url: str, progress: Callable[[int, int], None]) -> int:
    """Embed the library with another model and let it take the place of the present one where no server runs; that one need not be there any more.

    Interrupted, it goes on where it was, here or in a server. `progress` is told how many passages of how many are embedded.

    Returns:
        How many passages the new indexes hold.

    Raises:
        Misconfigured, ModelUnavailable: If the model cannot be opened.
        DataFolderBusy: If a server runs.
    """
    from ingest.pipeline import embed_version  # noqa: PLC0415 the server never embeds passages itself

    choice = Choice(name, base_url, instead_of=settings.embedding_model)
    with contextlib.ExitStack() as stack:
        stack.enter_context(owned(settings.data_dir))
        catalogue = stack.enter_context(contextlib.closing(catalogue_of(settings)))
        files, opened = FileStore(settings.data_dir / "files"), models_of(settings, catalogue)
        following = models.prepare(catalogue, choice, opened.chosen(choice).fingerprint)
        embedder = opened.following(following)
        indexes = _indexes_to_replace(settings, catalogue, models.fingerprint_in_force(catalogue) or "", stack)
        publisher = Publisher(catalogue=catalogue, files=files, indexes=indexes)
        change = ModelChange(
            catalogue=catalogue, files=files, indexes=indexes, publisher=publisher, embedders={},
            opened=opened, data_dir=settings.data_dir,
        )  # fmt: skip
        while gaps := models.Gaps(catalogue, files).in_library(following):
            for gap in gaps:
                with contextlib.suppress(NotFound):
                    embed_version(
                        gap.version, catalogue=catalogue, files=files, embedder=embedder, batch=settings.embedding_batch
                    )
                if now := change.progress():
                    progress(now.done, now.total)
        change.step()
        return indexes.lexical.count()


def _indexes_to_replace(
    settings: Settings, catalogue: Catalogue, fingerprint: str, stack: contextlib.ExitStack
) -> Indexes:
    return stack.enter_context(
        contextlib.closing(
            Indexes(settings.data_dir, catalogue=catalogue, fingerprint=fingerprint, replace_damaged=True)
        )
    )


@contextlib.contextmanager
def backup_offline(settings: Settings) -> Iterator[Iterator[bytes]]:
    """As `Services.backup`, where no server runs; neither a model nor the indexes are needed, damaged ones do not matter.

    Raises:
        DataFolderBusy: If a server runs.
        NotFound: If there is no library in the data folder.
    """
    if not settings.database_url and not (settings.data_dir / "catalogue.db").is_file():
        raise NotFound(f"There is no library in {settings.data_dir}.", hint="Say where it is with XUESI_DATA_DIR.")
    with owned(settings.data_dir), contextlib.closing(catalogue_of(settings)) as catalogue:
        clear_interrupted(settings.data_dir)
        files = FileStore(settings.data_dir / "files")
        with open_backup(catalogue=catalogue, files=files, data_dir=settings.data_dir) as pieces:
            yield pieces


def restore_offline(settings: Settings, source: BinaryIO) -> Restored:
    """Make the library of a backup in the data folder, which must hold none; see `index.restore.restore`.

    Raises:
        DataFolderBusy: If a server runs.
        WrongState: If there is a library already, or the catalogue is to be in a database of its own.
        UnusableBackup, NewerCatalogue: If the backup cannot be restored.
    """
    if settings.database_url:
        raise WrongState(
            "A backup holds its catalogue as a file, and database_url names a database.",
            hint="Unset XUESI_DATABASE_URL, or restore that database with its own tools and copy files/ into the data folder.",
        )
    with owned(settings.data_dir):
        return restore(source, settings.data_dir)
