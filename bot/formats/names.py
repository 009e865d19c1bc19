"""When two names mean one image repository."""

_HUB = {"docker.io", "index.docker.io", "registry-1.docker.io"}


def canonical(repository: str) -> str:
    """A repository's full name: `nginx` is `docker.io/library/nginx`, `shop/api` is `docker.io/shop/api`.

    The rule is that of the container engines (github.com/distribution/reference): the first part is a host only where
    it holds a dot or a colon, or is `localhost`. Nothing else is made equal: no case, no mirror, no port."""
    host, slash, path = repository.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, path = "docker.io", repository
    if host in _HUB:
        host, path = "docker.io", path if "/" in path else f"library/{path}"
    return f"{host}/{path}"
