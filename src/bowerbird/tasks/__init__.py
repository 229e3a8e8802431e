"""Tasks, each split into a public TaskView and a private VerifierSpec."""

from bowerbird.tasks.harbor import Reference, load_reference, load_task, load_tasks, task_folders
from bowerbird.tasks.jsonl import JsonlReport, load_jsonl
from bowerbird.tasks.loaded import Loaded, TaskSet
from bowerbird.tasks.named import load_named
from bowerbird.tasks.write import write_task

__all__ = [
    "JsonlReport",
    "Loaded",
    "Reference",
    "TaskSet",
    "load_jsonl",
    "load_named",
    "load_reference",
    "load_task",
    "load_tasks",
    "task_folders",
    "write_task",
]
