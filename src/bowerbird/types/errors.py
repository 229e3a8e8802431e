"""The error taxonomy.

    BowerbirdError            anything we raise on purpose; the CLI prints it without a traceback
    ├── ConfigError           a setting or a flag is wrong: the user can mend it
    ├── TaskError             a task directory or file is broken
    ├── ModelError            a model is missing, or is of a kind we cannot sample or train exactly
    ├── RunError              a run directory is missing, damaged or in use; the disk is full
    │   └── ProcessDied       a process of the run was killed or crashed: the run goes on with --resume
    └── InfraError            the machinery failed: the rollout is refilled, never scored 0
        └── SandboxError      a sandbox did not start or was lost
            └── SandboxUnavailable   this machine cannot provide one at all: we refuse to run

What a model or a candidate does wrong is never an exception: it is data in a record.
"""


class BowerbirdError(Exception):
    """Base of every error raised on purpose. The message says what to do."""


class ConfigError(BowerbirdError):
    """A setting is unknown, out of range or contradicts another."""


class TaskError(BowerbirdError):
    """A task directory or task file cannot be read as a task."""


class ModelError(BowerbirdError):
    """A model cannot be found, or cannot be sampled or trained exactly."""


class RunError(BowerbirdError):
    """A run directory is missing, damaged, already in use, or cannot be written."""


class ProcessDied(RunError):
    """A process of the run, the learner's or a sampler's, is gone."""


class InfraError(BowerbirdError):
    """The machinery failed, not the model: becomes the outcome `infra_error`."""


class SandboxError(InfraError):
    """One sandbox did not start, or was lost while it ran."""


class SandboxUnavailable(SandboxError):
    """No usable sandbox on this machine; the message says what to install or switch on."""
