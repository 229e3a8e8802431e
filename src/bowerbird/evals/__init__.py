"""The same rollout and rewards as in training, under a frozen policy: arms, intervals, reports."""
