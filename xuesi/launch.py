"""Where does the program start? Puts the folders that a wheel carries in `xuesi/_bundle` on the path and hands over to the command line."""

import contextlib
import sys
from pathlib import Path


def main() -> None:
    """Entry of the `xuesi` command and of `python -m xuesi.launch`."""
    allow_many_files()
    bundle = Path(__file__).with_name("_bundle")
    if bundle.is_dir():
        sys.path.insert(0, str(bundle))
    from xuesi.cli.main import run  # noqa: PLC0415 must come after the path is set

    run()


def allow_many_files() -> None:
    """Have this process and its children open as many files as the system lets them: 1,024 are usual, and an index is made of hundreds."""
    with contextlib.suppress(
        ImportError, OSError, ValueError
    ):  # there is no such limit on Windows, and some systems let nobody change it
        import resource  # noqa: PLC0415 not everywhere

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
