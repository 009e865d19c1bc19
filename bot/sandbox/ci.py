"""An imitation of CI: a push starts a pipeline whose jobs wait, run and end as they were told to."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from bot.sandbox.model import CommitStatus, Event, Pipeline, PipelineMoved, Project, Pushed, User
from bot.sandbox.state import State
from bot.sandbox.statuses import FINISHED, add_pipeline, pipeline_status

Outcome = Literal["success", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """One job: how long it waits and runs, and how it ends."""

    name: str
    outcome: Outcome = "success"
    waits: timedelta = timedelta(seconds=1)
    runs: timedelta = timedelta(seconds=2)
    stage: str = "test"
    allow_failure: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Which pushes start which jobs; `author` is who the jobs belong to."""

    project: str
    branches: str
    jobs: tuple[Job, ...]
    author: User


@dataclass(slots=True)
class Running:
    """A job under way."""

    project: Project
    pipeline: Pipeline
    status: CommitStatus
    job: Job
    since: datetime


@dataclass(slots=True)
class Ci:
    """The rules and what runs. Time passes only when `tick` is called."""

    state: State
    rules: list[Rule] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)

    def on_event(self, event: Event) -> None:
        """Start what the rules say; called under the forge's lock."""
        if not isinstance(event, Pushed) or event.after is None:
            return
        for rule in self.rules:
            if rule.project == event.project.full_path and fnmatchcase(event.branch, rule.branches):
                self._start(rule, event, event.after)

    def tick(self) -> None:
        """Let jobs start and end whose time has come."""
        with self.state.lock:
            now = self.state.clock()
            for one in tuple(self.running):
                self._advance(one, now)
            self.running = [one for one in self.running if one.status.status not in FINISHED]

    def run(self, stopped: threading.Event, every: float = 0.2) -> None:
        """Tick until stopped."""
        while not stopped.wait(every):
            self.tick()

    def _start(self, rule: Rule, event: Pushed, sha: str) -> None:
        project, now = event.project, self.state.clock()
        pipeline = add_pipeline(self.state, project, rule.author, (sha, event.branch), "push")
        for job in rule.jobs:
            status = CommitStatus(
                id=self.state.number("status"),
                name=job.name,
                status="pending",
                sha=sha,
                ref=event.branch,
                author=rule.author,
                created_at=now,
                stage=job.stage,
                allow_failure=job.allow_failure,
                target_url=f"{self.state.url}/{project.full_path}/-/pipelines/{pipeline.id}",
            )
            pipeline.statuses.append(status)
            self.running.append(Running(project, pipeline, status, job, now))
        self.state.tell(PipelineMoved(project, pipeline))

    def _advance(self, one: Running, now: datetime) -> None:
        before, status = pipeline_status(one.pipeline), one.status
        if status.status == "pending" and now >= one.since + one.job.waits:
            status.status, status.started_at = "running", now
        if status.status == "running" and now >= one.since + one.job.waits + one.job.runs:
            status.status, status.finished_at = one.job.outcome, now
        after = pipeline_status(one.pipeline)
        if after != before:
            one.pipeline.updated_at = now
            self.state.tell(PipelineMoved(one.project, one.pipeline))
