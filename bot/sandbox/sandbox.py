"""A whole sandbox forge and what tests and the demo do with it by hand, as any of its users."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import requests as http
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox import branches, discussion, issues, merging
from bot.sandbox.app import Parts
from bot.sandbox.ci import Ci, Job, Rule
from bot.sandbox.errors import NotFound
from bot.sandbox.faults import Faults
from bot.sandbox.gitdisk import DiskStore
from bot.sandbox.github.reviews import VERDICTS, review
from bot.sandbox.gitlab import quick_actions
from bot.sandbox.gitstore import GitStore
from bot.sandbox.journal import Journal
from bot.sandbox.model import (
    App,
    CommitStatus,
    Group,
    Hook,
    Installation,
    Issue,
    Member,
    MergeRequest,
    Note,
    Project,
    RequestState,
    Review,
    Role,
    User,
)
from bot.sandbox.requests import Edit, Opening, edit, open_request
from bot.sandbox.state import State
from bot.sandbox.statuses import Setting, of_commit, set_status
from bot.sandbox.webhooks import Sender, Webhooks

ALL_EVENTS = frozenset(
    {
        "push_events",
        "merge_requests_events",
        "note_events",
        "confidential_note_events",
        "pipeline_events",
        "emoji_events",
        # GitHub's
        "push",
        "pull_request",
        "pull_request_review",
        "issue_comment",
        "status",
        "check_suite",
    }
)
"""Of either dialect; a hook is told what its own has."""
WEBHOOK_SECONDS = 10.0
"""GitLab.com's patience with a receiver."""


def now_utc() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def send_by_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post a webhook; no redirect is followed."""
    with http.Session() as session:
        # A proxy that the environment names cannot reach the loopback interface, where the sandbox's receivers are.
        session.trust_env = False
        answer = session.post(url, data=body, headers=dict(headers), timeout=WEBHOOK_SECONDS, allow_redirects=False)
    return answer.status_code


ByName = User | str
Where = Project | str
Files = Mapping[str, str | bytes | None]


class Sandbox:
    """A forge in this process. Users and projects may be given by name or as values."""

    def __init__(self, store: GitStore, clock: Callable[[], datetime] = now_utc, sender: Sender = send_by_http) -> None:
        self.state = State(store, clock)
        self.faults = Faults()
        self.journal = Journal()
        self.webhooks = Webhooks(self.state, self.faults, sender)
        self.ci = Ci(self.state)
        self.state.listeners += [self.ci.on_event, self.webhooks.on_event]
        self.parts = Parts(self.state, self.faults, self.journal, self.webhooks, self.ci)
        self.root = self.state.add_user("root", "Administrator")

    @classmethod
    def create(cls, folder: Path, clock: Callable[[], datetime] = now_utc, sender: Sender = send_by_http) -> "Sandbox":
        """With real bare repositories in the folder."""
        return cls(DiskStore(folder), clock, sender)

    # --- making a world ----------------------------------------------------------------------------------------------

    def add_user(self, username: str, name: str = "", *, bot: bool = False) -> User:
        """A new user."""
        with self.state.lock:
            return self.state.add_user(username, name, bot=bot)

    def token_for(self, user: ByName, *, read_only: bool = False) -> str:
        """An access token of the user; always the same one."""
        with self.state.lock:
            owner = self.user(user)
            for token in self.state.tokens.values():
                if (token.user, token.read_only) == (owner, read_only):
                    return token.value
            return self.state.add_token(owner, read_only=read_only)

    def add_group(self, path: str) -> Group:
        """A group and its parents, where they are missing."""
        with self.state.lock:
            return self.state.add_group(path)

    def add_member(self, where: str, user: ByName, role: Role) -> None:
        """Give a user a role in a project, or in a group, by its full path."""
        with self.state.lock:
            found = [one for one in self.state.projects.values() if one.full_path == where]
            container: Project | Group = found[0] if found else self.state.add_group(where)
            member = self.user(user)
            container.members[member.id] = Member(member, role, self.state.clock())

    def add_project(self, path: str, files: Mapping[str, str | bytes] | None = None, branch: str = "main") -> Project:
        """A private project, its default branch protected; with a first commit by root where files are given."""
        with self.state.lock:
            made = self.state.add_project(path, self.root)
            made.members[self.root.id] = Member(self.root, Role.owner, self.state.clock())
            made.default_branch = branch
        if files:
            self.commit_as(self.root, path, branch, files, "Initial commit")
        return made

    def configure(self, project: Where, **settings: object) -> None:
        """Change a project's switches, such as `only_allow_merge_if_pipeline_succeeds=True`."""
        with self.state.lock:
            found = self.project(project)
            found.settings = replace(found.settings, **settings)  # type: ignore[arg-type]  # dataclasses checks names

    def add_hook(  # noqa: PLR0913 one switch for each thing that a hook has
        self,
        project: Where,
        url: str,
        *,
        token: str = "",
        signing_secret: str = "",
        events: frozenset[str] = ALL_EVENTS,
        dialect: str = "gitlab",
    ) -> Hook:
        """A webhook; `signing_secret` is a Standard Webhooks one (`whsec_...`), `token` also GitHub's secret."""
        with self.state.lock:
            found, number = self.project(project), self.state.number("hook")
            made = Hook(number, url, events, self.state.clock(), token, signing_secret, uuid=f"hook-{number}")
            made.dialect = dialect
            found.hooks[number] = made
            return made

    def add_app(self, slug: str) -> tuple[App, str]:
        """A GitHub App, and its private key as PEM; it works nowhere until it is installed."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public = key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
        pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        with self.state.lock:
            made = self.state.add_app(slug, public)
        return made, key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode()

    def install_app(self, app: App, organisation: str, role: Role = Role.developer) -> Installation:
        """Let an App work in an organisation's repositories, with that role's rights in all of them."""
        self.add_member(organisation, app.user, role)
        with self.state.lock:
            return self.state.install(app, self.state.add_group(organisation))

    def hook_app(self, app: App, url: str, *, token: str = "", events: frozenset[str] = ALL_EVENTS) -> Hook:
        """The App's own webhook, told of all repositories that it works in."""
        with self.state.lock:
            number = self.state.number("hook")
            app.hook = Hook(number, url, events, self.state.clock(), token, uuid=f"hook-{number}", dialect="github")
            return app.hook

    def add_ci(self, project: str, *jobs: Job, author: ByName, branches: str = "*") -> None:
        """From now on pushes to matching branches start a pipeline with these jobs."""
        with self.state.lock:
            self.ci.rules.append(Rule(project, branches, jobs, self.user(author)))

    # --- looking -----------------------------------------------------------------------------------------------------

    def user(self, user: ByName) -> User:
        """A user by name."""
        return self.state.user(user) if isinstance(user, str) else user

    def project(self, project: Where) -> Project:
        """A project by its full path, whoever may see it."""
        if isinstance(project, Project):
            return project
        for found in self.state.projects.values():
            if found.full_path == project:
                return found
        raise NotFound("Project")

    def issue(self, project: Where, iid: int) -> Issue:
        """An issue."""
        return self.project(project).issues[iid]

    def request(self, project: Where, iid: int) -> MergeRequest:
        """A merge request."""
        return self.project(project).requests[iid]

    def requests(self, project: Where, state: RequestState | None = None) -> list[MergeRequest]:
        """The merge requests, oldest first."""
        with self.state.lock:
            return [one for one in self.project(project).requests.values() if state in (None, one.state)]

    def head(self, project: Where, branch: str = "main") -> str:
        """The commit of a branch; KeyError where there is none."""
        with self.state.lock:
            return self.project(project).git.heads()[branch]

    def read(self, project: Where, path: str, ref: str = "main") -> bytes | None:
        """A file at a branch or commit."""
        with self.state.lock:
            git = self.project(project).git
            sha = git.resolve(ref)
            found = git.blob(sha, path) if sha else None
            return found[1] if found else None

    def statuses(self, project: Where, sha: str) -> list[CommitStatus]:
        """The newest status of each name on a commit, oldest first."""
        with self.state.lock:
            return [one for _, one in of_commit(self.project(project), sha) if not one.retried]

    # --- acting as a user --------------------------------------------------------------------------------------------

    def commit_as(
        self,
        user: ByName,
        project: Where,
        branch: str,
        files: Mapping[str, str | bytes | None],
        message: str,
    ) -> str:
        """A commit on a branch (a new one leaves the default branch); None removes a file. Returns the commit."""
        with self.state.lock:
            found = self.project(project)
            content = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
            start = None if found.git.head(branch) is not None else found.default_branch
            change = branches.Change(branch, message, content, start)
            return branches.commit(self.state, found, self.user(user), change)

    def force_as(self, user: ByName, project: Where, branch: str, commit: str | None) -> None:
        """Set a branch to a commit, whatever it loses, or remove it; protection is not asked."""
        with self.state.lock:
            found = self.project(project)
            old = found.git.head(branch)
            found.git.set_branch(branch, old, commit)
            branches.settle(self.state, found, self.user(user), [branches.Move(branch, old, commit)])

    def open_as(self, user: ByName, project: Where, opening: Opening) -> MergeRequest:
        """Open a merge request."""
        with self.state.lock:
            return open_request(self.state, self.project(project), self.user(user), opening)

    def approve_as(self, user: ByName, project: Where, iid: int) -> None:
        """Approve the present head."""
        with self.state.lock:
            discussion.approve(self.state, self.project(project), self.request(project, iid), self.user(user))

    def review_as(self, user: ByName, project: Where, iid: int, verdict: str, body: str = "") -> Review:
        """Review as on GitHub: APPROVE, REQUEST_CHANGES or COMMENT."""
        with self.state.lock:
            where = self.project(project), self.request(project, iid)
            return review(self.state, where, self.user(user), VERDICTS[verdict], body)

    def unapprove_as(self, user: ByName, project: Where, iid: int) -> None:
        """Withdraw one's approval."""
        with self.state.lock:
            discussion.unapprove(self.state, self.project(project), self.request(project, iid), self.user(user))

    def merge_as(self, user: ByName, project: Where, iid: int) -> str:
        """Merge, as a person does who has waited for the check; returns the commit on the target branch."""
        with self.state.lock:
            self.settle()
            found = self.project(project)
            return merging.merge(self.state, found, self.request(project, iid), self.user(user), merging.Merging())

    def close_as(self, user: ByName, project: Where, iid: int) -> None:
        """Close unmerged."""
        self._edit_as(user, project, iid, Edit(state_event="close"))

    def reopen_as(self, user: ByName, project: Where, iid: int) -> None:
        """Open again."""
        self._edit_as(user, project, iid, Edit(state_event="reopen"))

    def edit_as(self, user: ByName, project: Where, iid: int, change: Edit) -> None:
        """Change title, description, labels or target."""
        self._edit_as(user, project, iid, change)

    def comment_as(  # noqa: PLR0913 one switch for each thing that a comment has
        self, user: ByName, project: Where, iid: int, body: str, *, issue: bool = False, internal: bool = False
    ) -> Note:
        """Comment on a merge request, or an issue; the whole text is kept, as GitHub does."""
        with self.state.lock:
            comment = discussion.Comment(body, internal)
            thread = self.issue(project, iid) if issue else self.request(project, iid)
            return discussion.add_note(self.state, self.project(project), thread, self.user(user), comment)

    def say_on_gitlab_as(
        self, user: ByName, project: Where, iid: int, body: str, *, issue: bool = False
    ) -> Note | None:
        """As GitLab's page does it: its own quick actions are taken out and obeyed, and perhaps no comment is left."""
        with self.state.lock:
            thread = self.issue(project, iid) if issue else self.request(project, iid)
            head = thread.head if isinstance(thread, MergeRequest) else None
            said = quick_actions.Said(discussion.Comment(body), head)
            return quick_actions.say(self.state, self.project(project), thread, self.user(user), said)[0]

    def edit_comment_as(self, user: ByName, project: Where, note: Note, body: str) -> None:
        """Change a comment's text."""
        with self.state.lock:
            found = self.project(project)
            thread = next(one for one in found.threads if note in one.notes)
            discussion.edit_note(self.state, found, thread, self.user(user), (note, body))

    def issue_as(self, user: ByName, project: Where, title: str, *labels: str, description: str = "") -> Issue:
        """Open an issue."""
        with self.state.lock:
            wanted = issues.Draft(title, description, labels)
            return issues.open_issue(self.state, self.project(project), self.user(user), wanted)

    def edit_issue_as(self, user: ByName, project: Where, iid: int, change: Edit) -> None:
        """Change an issue, close it (`state_event="close"`) or open it again."""
        with self.state.lock:
            issues.edit_issue(self.state, self.project(project), self.issue(project, iid), self.user(user), change)

    def revert_as(self, user: ByName, project: Where, iid: int, *, direct: bool = True) -> MergeRequest | str:
        """Undo a merged one: a commit on its target branch, or (`direct=False`) a merge request for it."""
        with self.state.lock:
            found = self.project(project)
            return merging.revert(self.state, found, self.request(project, iid), self.user(user), direct=direct)

    def status_as(self, user: ByName, project: Where, sha: str, setting: Setting) -> CommitStatus:
        """Set a commit status."""
        with self.state.lock:
            return set_status(self.state, self.project(project), self.user(user), sha, setting)

    # --- time --------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Finish what the forge does in the background: check all open merge requests for conflicts."""
        with self.state.lock:
            for project in self.state.projects.values():
                for request in project.requests.values():
                    if request.state is RequestState.opened:
                        merging.check(project, request)

    def tick(self) -> None:
        """Let the imitated CI's time pass up to the clock's present."""
        self.ci.tick()

    def deliver(self) -> int:
        """Send the queued webhooks now, from this thread; returns how many."""
        return self.webhooks.deliver()

    def _edit_as(self, user: ByName, project: Where, iid: int, change: Edit) -> None:
        with self.state.lock:
            found = self.project(project)
            edit(self.state, found, self.request(project, iid), self.user(user), change)
