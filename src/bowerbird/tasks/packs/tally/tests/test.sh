#!/bin/sh
# Runs in a folder that holds solution.py. The answer's program is kept from everything else by $CONFINE, which
# Bowerbird sets and Harbor does not; what it prints goes to /tmp, which it cannot reach.
mkdir -p /logs/verifier
reward=1
for input in /tests/inputs/*.txt; do
    name=$(basename "$input" .txt)
    $CONFINE timeout 4 python3 solution.py < "$input" > "/tmp/$name.out" || reward=0
    cmp -s "/tmp/$name.out" "/tests/expected/$name.out" || reward=0
done
echo "$reward" > /logs/verifier/reward.txt
