"""Plug-ins for Harbor, the harness of Terminal-Bench: our agent, and our sandbox as an environment.

They live in Harbor's own environment (Python 3.12), where this package is installed without extras:

    harbor run --path TASKS --agent bowerbird.evals.harbor.agent:BowerbirdAgent --model NAME \
        --agent-kwarg endpoint=http://localhost:8000/v1 --env bowerbird.evals.harbor.environment:LocalEnvironment
"""
