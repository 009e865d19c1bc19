"""The endpoints of webhooks and of their deliveries: those sent, and sending one again."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox import errors
from bot.sandbox.api import Answer, Json
from bot.sandbox.github.call import Call, page, since
from bot.sandbox.github.people import the_app
from bot.sandbox.github.shapes import time
from bot.sandbox.model import Delivery, Hook, Project, Role
from bot.sandbox.state import require

UNREACHED = "failed to connect to host"


def list_hooks(call: Call) -> Answer:
    """`GET .../hooks`."""
    project = _administered(call)
    found = [one for one in project.hooks.values() if one.dialect == "github"]
    return page(call, found, lambda one: _hook(call, project, one))


def create_hook(call: Call) -> Answer:
    """`POST .../hooks`."""
    project = _administered(call)
    config = call.given.get("config")
    if not isinstance(config, dict) or not config.get("url"):
        raise errors.Missing('"config.url" wasn\'t supplied.')
    if any(one.url == config["url"] and one.dialect == "github" for one in project.hooks.values()):
        raise errors.Duplicate("Hook already exists on this repository")
    number = call.state.number("hook")
    made = Hook(number, str(config["url"]), frozenset(), call.state.clock(), uuid=f"hook-{number}", dialect="github")
    _configure(call, made)
    project.hooks[number] = made
    return Answer(_hook(call, project, made), 201)


def update_hook(call: Call) -> Answer:
    """`PATCH .../hooks/:hook`."""
    project, found = _find(call)
    _configure(call, found)
    return Answer(_hook(call, project, found))


def read_app_config(call: Call) -> Answer:
    """`GET /app/hook/config`."""
    hook = the_app(call).hook
    if hook is None:
        raise errors.NotFound
    return Answer(_config(hook))


def update_app_config(call: Call) -> Answer:
    """`PATCH /app/hook/config`: address, content type and secret of the App's own webhook."""
    app = the_app(call)
    if app.hook is None:
        raise errors.NotFound
    _set(app.hook, call.given)
    return Answer(_config(app.hook))


def list_deliveries(call: Call) -> Answer:
    """`GET .../hooks/:hook/deliveries`, newest first."""
    _, hook = _find(call)
    return _deliveries(call, hook)


def list_app_deliveries(call: Call) -> Answer:
    """`GET /app/hook/deliveries`, newest first."""
    return _deliveries(call, the_app(call).hook)


def redeliver(call: Call) -> Answer:
    """`POST .../hooks/:hook/deliveries/:delivery/attempts`."""
    _, hook = _find(call)
    return _again(call, hook)


def redeliver_for_app(call: Call) -> Answer:
    """`POST /app/hook/deliveries/:delivery/attempts`."""
    return _again(call, the_app(call).hook)


def _administered(call: Call) -> Project:
    project = call.project()
    try:
        require(project, call.user(), Role.maintainer)
    except errors.Forbidden as refusal:
        raise errors.NotFound from refusal
    return project


def _find(call: Call) -> tuple[Project, Hook]:
    project = _administered(call)
    for found in project.hooks.values():
        if str(found.id) == call.where["hook"] and found.dialect == "github":
            return project, found
    raise errors.NotFound


def _configure(call: Call, hook: Hook) -> None:
    config, events = call.given.get("config"), call.words("events")
    if isinstance(config, dict):
        _set(hook, {"content_type": "form"} | config)
    if events is not None or not hook.events:
        hook.events = frozenset(events or ("push",))


def _set(hook: Hook, config: Mapping[str, object]) -> None:
    url = str(config.get("url") or hook.url)
    if not url.startswith(("http://", "https://")):
        raise errors.Invalid("url", "is not an address that GitHub sends to")
    hook.url, hook.token = url, str(config.get("secret") or hook.token)
    if "content_type" in config:
        hook.form = config["content_type"] == "form"


def _config(found: Hook) -> Json:
    shown: Json = {"url": found.url, "content_type": "form" if found.form else "json", "insecure_ssl": "0"}
    return shown | ({"secret": "********"} if found.token else {})


def _hook(call: Call, project: Project, found: Hook) -> Json:
    url = f"{call.state.url}/api/v3/repos/{project.full_path}/hooks/{found.id}"
    return {
        "id": found.id,
        "type": "Repository",
        "name": "web",
        "active": True,
        "events": sorted(found.events),
        "config": _config(found),
        "url": url,
        "deliveries_url": f"{url}/deliveries",
        "created_at": time(found.created_at),
        "updated_at": time(found.created_at),
        "last_response": {"code": None, "status": "unused", "message": None},
    }


def _sent(call: Call, hook: Hook | None) -> list[Delivery]:
    return [one for one in call.state.sent if one.hook is hook and hook is not None][::-1]


def _deliveries(call: Call, hook: Hook | None) -> Answer:
    return since(call, _sent(call, hook), _delivery, lambda one: one.id)


def _delivery(found: Delivery) -> Json:
    status = found.status or 0
    return {
        "id": found.id,
        "guid": found.headers["X-GitHub-Delivery"],
        "delivered_at": time(found.queued_at),
        "redelivery": found.again,
        "duration": 0.1,
        "status": "OK" if 200 <= status < 300 else f"Invalid HTTP Response: {status}" if status else UNREACHED,
        "status_code": status,
        "event": found.name,
        "action": found.action,
        "installation_id": None,
        "repository_id": None,
        "throttled_at": None,
    }


def _again(call: Call, hook: Hook | None) -> Answer:
    found = next((one for one in _sent(call, hook) if str(one.id) == call.where["delivery"]), None)
    if found is None:
        raise errors.NotFound
    again = replace(found, id=call.state.number("delivery"), queued_at=call.state.clock(), again=True, status=None)
    call.state.outbox.append(again)
    return Answer({}, 202)
