#!/bin/sh
# The installed command, with this folder as its place.
cd "$(dirname "$0")" || exit 1
exec .venv/bin/xuesi "$@"
