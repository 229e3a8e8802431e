#!/bin/sh
# For Harbor itself, which runs the tests in one process with the answer. Bowerbird keeps the two apart.
mkdir -p /logs/verifier
cd /app && PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -q -c /dev/null --rootdir /tests --noconftest \
    -p no:cacheprovider --deselect /tests/test_ledger.py::test_canary_every_balance_is_right /tests/test_ledger.py &&
    reward=1 || reward=0
echo "$reward" > /logs/verifier/reward.txt
