"""One task under one scaffold to one rollout. A bad rollout is data, never an exception."""
