#!/bin/sh
# Installs Xuesi from this folder into this folder; reaches no network.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --no-index --find-links wheels --no-deps -r requirements.txt
.venv/bin/python -m pip install --quiet --no-index --find-links wheels --no-deps xuesi
mkdir -p var
[ -d var/models ] || cp -R models var/models
echo "Installed. Start with ./xuesi.sh serve"
