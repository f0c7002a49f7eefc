#!/bin/sh
# Does the bundle install, answer and stop where there is no network? `make try-bundle` runs this in a network namespace with nothing but loopback in it.
set -eu
ip link set lo up
cd "$1"
rm -rf .venv var
./install.sh
./xuesi.sh add corpus/sample/*
./xuesi.sh ask "读书班邀请了谁作专题辅导？" --json | grep -q '"answered"'
./xuesi.sh ask "Who was invited to give special guidance at the reading class?" | grep -q '\[1\]'
./xuesi.sh doctor
echo "The bundle works without a network."
