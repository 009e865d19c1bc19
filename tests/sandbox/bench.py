"""The sandbox as the contract of the Forge protocol wants it (tests/contract/bench.py), in either dialect."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.forges import FORGES
from bot.forges.base import Forge
from bot.forges.connection import Connection
from bot.sandbox.faults import Fault
from bot.sandbox.github.pull_shapes import EMOJI
from bot.sandbox.model import Protection, RequiredCheck
from bot.sandbox.model import Role as Level
from bot.sandbox.requests import Edit
from bot.sandbox.sandbox import Sandbox
from policies.model import User
from tests.contract.bench import Call, Hook, Role, Trouble
from tests.sandbox.github_client import wait_for_webhooks


class SandboxBench:
    """A served sandbox with `platform/config`, the bot its Maintainer."""

    repository = "platform/config"

    def __init__(self, kind: str, sandbox: Sandbox, url: str) -> None:
        self.kind = kind
        self.url = url
        self._sandbox = sandbox
        sandbox.state.one_row = kind == "github"
        sandbox.webhooks.sender = lambda *_: 200
        bot = sandbox.add_user("towpath", bot=True)
        sandbox.add_project(self.repository, {"README.md": "# Config\n", "same.yaml": "image: 0\n"})
        sandbox.add_member(self.repository, bot, Level.maintainer)
        self.forge = self._as(sandbox.token_for(bot))

    def as_role(self, role: Role) -> Forge:
        known = {user.username for user in self._sandbox.state.users.values()}
        if role not in known:
            self._sandbox.add_user(role)
            self._sandbox.add_member(self.repository, role, Level[role])
        return self._as(self._sandbox.token_for(role))

    def as_nobody(self) -> Forge:
        return self._as("glpat-unknown")

    def user(self, role: Role) -> User:
        self.as_role(role)
        found = self._sandbox.user(role)
        return User(found.id, found.username, found.name)

    def team(self, *roles: Role) -> str:
        for role in roles:
            self.as_role(role)
            self._sandbox.add_member("platform/managers", role, Level.developer)
        self._sandbox.add_member("platform", "towpath", Level.reporter)  # GitLab shows a group to members alone
        return "platform/managers"

    def approve(self, role: Role, iid: int) -> None:
        self.as_role(role)
        self._sandbox.approve_as(role, self.repository, iid)

    def unapprove(self, role: Role, iid: int) -> None:
        self._sandbox.unapprove_as(role, self.repository, iid)

    def reviewers(self, iid: int) -> set[int]:
        return {one.id for one in self._sandbox.request(self.repository, iid).reviewers}

    def robot(self) -> Forge:
        name = {"gitlab": "project_31_bot_0a1b2c3d", "github": "renovate[bot]"}[self.kind]
        self._sandbox.add_member(self.repository, self._sandbox.add_user(name, bot=True), Level.reporter)
        return self._as(self._sandbox.token_for(name))

    def issue(self, role: Role, title: str, *labels: str) -> int:
        self.as_role(role)
        return self._sandbox.issue_as(role, self.repository, title, *labels).iid

    def close_issue(self, iid: int) -> None:
        self._sandbox.edit_issue_as("root", self.repository, iid, Edit(state_event="close"))

    def emoji(self, note: int) -> list[str]:
        notes = [one for request in self._sandbox.requests(self.repository) for one in request.notes]
        names = [award.name for one in notes if one.id == note for award in one.awards]
        return [EMOJI.get(name, name) if self.kind == "github" else name for name in names]

    def later(self, seconds: float) -> None:
        clock, passed = self._sandbox.state.clock, timedelta(seconds=seconds)
        self._sandbox.state.clock = lambda: clock() + passed

    def hooks(self) -> Sequence[Hook]:
        return list(self._sandbox.project(self.repository).hooks.values())

    def deliveries(self) -> int:
        wait_for_webhooks(self._sandbox)
        return len(self._sandbox.webhooks.log)

    def push(self, branch: str, files: Mapping[str, str], message: str = "change") -> str:
        return self._sandbox.commit_as("root", self.repository, branch, dict(files), message)

    def message(self, commit: str) -> str:
        return self._sandbox.project(self.repository).git.commit(commit).message

    def settle(self) -> None:
        self._sandbox.settle()

    def require_checks(self) -> None:
        if self.kind == "gitlab":
            self._sandbox.configure(self.repository, only_allow_merge_if_pipeline_succeeds=True)
        else:
            rule = Protection(900, "main", Level.maintainer, Level.maintainer, checks=(RequiredCheck("validate"),))
            self._sandbox.project(self.repository).protections["main"] = rule

    def trouble(self, kind: Trouble, method: str = ".*") -> None:
        self._sandbox.faults.add(Fault(kind, method))

    def calls(self) -> list[Call]:
        return [Call(one.method, one.path) for one in self._sandbox.journal.clear() if one.kind == "api"]

    def _as(self, token: str) -> Forge:
        return FORGES[self.kind](Connection("sandbox", self.url, token))
