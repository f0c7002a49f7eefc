"""Where does the program start? Puts the folders that a wheel carries in `xuesi/_bundle` on the path and hands over to the command line."""

import sys
from pathlib import Path


def main() -> None:
    """Entry of the `xuesi` command and of `python -m xuesi.launch`."""
    bundle = Path(__file__).with_name("_bundle")
    if bundle.is_dir():
        sys.path.insert(0, str(bundle))
    from xuesi.cli.main import run  # noqa: PLC0415 must come after the path is set

    run()


if __name__ == "__main__":
    main()
