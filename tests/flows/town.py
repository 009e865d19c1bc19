"""The whole of Towpath in one process around a forge over HTTP: sandbox, Git, webhooks, Redis, receiver, work queue.

Only Celery is left out: `settle` does what timer and workers do, on a clock that the test moves."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis

from bot.hooks.ci import sign
from bot.pending import Pending, Work
from bot.sandbox.ci import Job
from bot.sandbox.model import Issue, MergeRequest, Note, RequestState, Role
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serve
from bot.sandbox.statuses import Setting
from bot.settings import load_settings
from bot.validators import VALIDATORS
from bot.web import create_app
from policies.naming import CONTROL, STATUS
from policies.state import BRANCH, FILE
from policies.wording.answers import answered
from tests.flows.world import HOST, POLICY, digest, values
from workers.app import QUEUE, do_work, queue_of
from workers.receiving import make_ports
from workers.timer import tick
from workers.world import World, make_world

PROJECT = "platform/config"
FORGE, CI = "main", "ci"
TOKEN, SECRET = "a-hook-token-of-tests", "a-ci-secret-of-tests"
FILES = {f"environments/{stage}/one/shop/values.yaml": values() for stage in ("nonprod", "prod")}


class Town:
    """One config repository on a sandbox forge, and Towpath around it."""

    def __init__(
        self,
        folder: Path,
        redis_url: str,
        kind: str,
        content: Mapping[str, str],
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.more_settings = dict(settings or {})
        self.kind = kind
        self.now = datetime.now(UTC)  # The adapter reckons `Retry-After` from the wall clock.
        self.sandbox = Sandbox.create(folder / "forge", lambda: self.now, self._deliver)
        for name, role in (("maria", Role.maintainer), ("jonas", Role.developer), ("towpath", Role.maintainer)):
            self.sandbox.add_user(name, bot=name == "towpath")
            self.sandbox.add_member("platform", name, role)
        self.sandbox.add_project(PROJECT, content)
        hook = f"https://towpath.example.com/hooks/{kind}/{FORGE}"
        self.sandbox.add_hook(PROJECT, hook, token=TOKEN, dialect=kind)
        self._folder = folder
        self._redis_url = redis_url
        self.lost = 0
        """How many of the next webhooks get lost."""
        self.failing = 0
        """How many of the next webhooks are answered with 503."""
        self.validators = VALIDATORS
        self.validating = True
        """Whether the process that runs validators is there."""

    def open(self, url: str) -> None:
        """Start Towpath, as after a restart of all its processes."""
        self.url = url
        self.settings = load_settings(self.environment(url))
        self.world: World = make_world(self.settings, lambda: self.now)
        self.world.validators = self.validators
        self.pending: Pending = self.world.pending
        ports = make_ports(self.settings, self.pending, self.world.memory, self._seconds)
        self.client = create_app(ports, self.settings.body_limit).test_client()

    def _seconds(self) -> float:
        return self.now.timestamp()

    def environment(self, url: str) -> dict[str, str]:
        """What an operator sets for a forge at this address."""
        forge, source = f"TOWPATH_FORGES__{FORGE.upper()}__", f"TOWPATH_SOURCES__{CI.upper()}__"
        return {
            "TOWPATH_REDIS_URL": self._redis_url,
            "TOWPATH_MIRRORS": str(self._folder / "mirrors"),
            "TOWPATH_SEAL": '["a-seal-key-of-tests"]',
            f"{forge}KIND": self.kind,
            f"{forge}URL": url,
            f"{forge}TOKEN": self.sandbox.token_for("towpath"),
            f"{forge}WEBHOOK_{'TOKENS' if self.kind == 'gitlab' else 'SECRETS'}": json.dumps([TOKEN]),
            f"{forge}REPOSITORIES": json.dumps([PROJECT]),
            f"{source}KIND": "ci",
            f"{source}SECRETS": json.dumps([SECRET]),
            f"{source}IMAGES": json.dumps([f"{HOST}/"]),
            **self.more_settings,
        }

    def _deliver(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self.lost > 0:
            self.lost -= 1
            return 202
        if self.failing > 0:
            self.failing -= 1
            return 503
        path = url.removeprefix("https://towpath.example.com")
        return self.client.post(path, data=body, headers=dict(headers)).status_code

    # What happens.

    def publish(self, tag: str, image: str = "api") -> str:
        """CI announces an image, a second after whatever was before; returns its digest."""
        self.now += timedelta(seconds=1)
        body = json.dumps({"repository": f"{HOST}/{image}", "digest": digest(tag), "tag": tag}).encode()
        answer = self.client.post(f"/hooks/images/{CI}", data=body, headers=sign(SECRET, body, self.now))
        assert answer.status_code == 202, answer.text
        return digest(tag)

    def say(self, user: str, thread: MergeRequest | Issue, *lines: str, internal: bool = False) -> Note:
        """Somebody comments, a second after whatever was before; the whole text is kept."""
        self.now += timedelta(seconds=1)
        issue = isinstance(thread, Issue)
        return self.sandbox.comment_as(user, PROJECT, thread.iid, "\n\n".join(lines), issue=issue, internal=internal)

    def ask(self, user: str, thread: MergeRequest | Issue, *lines: str) -> str:
        """Somebody comments and Towpath comes round; its one answer, or an empty text."""
        said = self.say(user, thread, *lines)
        self.settle()
        found = self.answers(thread, said)
        assert len(found) <= 1, found
        return found[0] if found else ""

    def control(self, *labels: str) -> Issue:
        """A control issue."""
        return self.sandbox.issue_as("maria", PROJECT, "Releases", *(labels or (CONTROL,)))

    def settle(self, seconds: int = 90) -> None:
        """Let time pass second by second: webhooks arrive, due work is done, the imitated CI's jobs end."""
        for _ in range(seconds):
            self.step()
            if self._is_quiet():
                return
            self.now += timedelta(seconds=1)

    def step(self) -> None:
        """All that is due just now."""
        while True:
            self.sandbox.tick()
            arrived = self._webhooks()
            done = tick(self.pending, self._work, self.now.timestamp())
            if not arrived and not done:
                return

    def _work(self, work: Work) -> None:
        if self.validating or queue_of(work) == QUEUE:
            do_work(self.world, work)

    def _webhooks(self) -> int:
        # The server's own thread sends them too: whoever comes first, all have arrived before anything else is done.
        before = len(self.sandbox.webhooks.log)
        while not self.sandbox.webhooks.idle():
            self.sandbox.deliver()
        return len(self.sandbox.webhooks.log) - before

    def _is_quiet(self) -> bool:
        due = self.pending.next_at()
        return not self.sandbox.ci.running and (due is None or due > self.now.timestamp() + 60)

    def pass_time(self, seconds: int) -> None:
        """Time goes by with nobody at work."""
        self.now += timedelta(seconds=seconds)

    def sweep(self) -> None:
        """The timer's sweep."""
        self.pending.mark([("sweep",)], self.now.timestamp())
        self.settle()

    def flush_redis(self) -> None:
        """Empty Redis."""
        redis.Redis.from_url(self._redis_url).flushall()

    # What can be seen.

    def open_in(self, stage: str) -> MergeRequest | None:
        """The stage's open promotion; there is at most one."""
        opened = self.sandbox.requests(PROJECT, RequestState.opened)
        found = [one for one in opened if one.source_branch.startswith(f"towpath/p/{stage}/")]
        assert len(found) <= 1
        return found[0] if found else None

    def pins(self, stage: str, cluster: str = "one", service: str = "shop") -> str:
        """A values file on the target branch."""
        found = self.sandbox.read(PROJECT, f"environments/{stage}/{cluster}/{service}/values.yaml")
        assert found is not None
        return found.decode()

    def report(self, iid: int) -> str:
        """The one report that Towpath has on a merge request."""
        bodies = [note.body for note in self.said(self.sandbox.request(PROJECT, iid))]
        reports = [body for body in bodies if answered(body) is None]
        assert len(reports) == 1, bodies
        return reports[0]

    def said(self, thread: MergeRequest | Issue) -> list[Note]:
        """Towpath's own comments on a thread."""
        return [note for note in thread.notes if note.author.username == "towpath" and not note.system]

    def answers(self, thread: MergeRequest | Issue, to: Note | None = None) -> list[str]:
        """What Towpath answered on a thread, or to one comment there."""
        found = [(answered(note.body), note.body) for note in self.said(thread)]
        return [body for of, body in found if of is not None and (to is None or of == to.id)]

    def reactions(self, note: Note) -> list[str]:
        """Towpath's emoji on a comment, by GitHub's names."""
        mine = [one.name for one in note.awards if one.user.username == "towpath"]
        return [{"tada": "hooray", "thumbsdown": "-1"}.get(name, name) for name in mine]

    def state(self) -> str:
        """What commands decided, as it stands on its branch."""
        found = self.sandbox.read(PROJECT, FILE, BRANCH)
        return found.decode() if found is not None else ""

    def status(self, request: MergeRequest) -> str:
        """Towpath's own status of a merge request's head: its state and description."""
        mine = [one for one in self.sandbox.statuses(PROJECT, request.head) if one.name == STATUS]
        return f"{mine[-1].status} {mine[-1].description}" if mine else ""

    def set_status(self, sha: str, state: str, name: str = "validate") -> None:
        """A status by somebody's CI."""
        self.sandbox.status_as("jonas", PROJECT, sha, Setting(state, name))

    def add_ci(self) -> None:
        """From now on promotions get a pipeline that takes three seconds."""
        self.sandbox.add_ci(PROJECT, Job("validate"), author="jonas", branches="towpath/*")


@contextmanager
def towns(
    folder: Path, redis_url: str, kind: str, policy: str = POLICY, files: Mapping[str, str] = FILES
) -> Iterator[Town]:
    """A town with a forge of that kind, served over HTTP."""
    town = Town(folder, redis_url, kind, {"towpath.yaml": policy, **files})
    with serve(town.sandbox, ticking=False) as url:
        town.open(url)
        yield town
