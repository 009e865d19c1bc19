"""GitHub's rules for reviews: who may give which, and which of them count for a merge."""

from bot.sandbox import discussion
from bot.sandbox.errors import Contradiction, Missing
from bot.sandbox.model import MergeRequest, Project, Review, Reviewed, Role, User
from bot.sandbox.state import State, require, role

VERDICTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def review(state: State, where: tuple[Project, MergeRequest], user: User, verdict: str, body: str) -> Review:
    """Submit a review of the present head; Contradiction for an author's approval of the own pull request."""
    project, request = where
    require(project, user, Role.reporter)
    if user == request.author and verdict != "COMMENTED":
        doing = "approve" if verdict == "APPROVED" else "request changes on"
        raise Contradiction(f"Can not {doing} your own pull request")
    if verdict != "APPROVED" and not body:
        raise Missing('"body" wasn\'t supplied.')
    if verdict == "APPROVED" and discussion.may_approve(project, request, user):
        return discussion.approve_saying(state, project, request, user, body)
    made = discussion.add_review(state, request, user, verdict, body)
    request.updated_at = state.clock()
    state.tell(Reviewed(project, request, made, user, "submitted"))
    return made


def standing(project: Project, request: MergeRequest) -> dict[int, str]:
    """By user id, the newest verdict of each who may write; a comment takes none back, a dismissal does."""
    found = {one.user.id: one for one in request.reviews if one.state != "COMMENTED"}
    return {number: one.state for number, one in found.items() if role(project, one.user) >= Role.developer}
