# One image for every process of Towpath: web, worker, validator and timer differ in their command alone.
# With the outside programs that validators start, for the process that runs them: docker build --target validator.
FROM golang:1.27.3-bookworm AS programs
COPY deploy/tools /src
RUN /src/build /out helm kustomize kubeconform conftest

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/towpath
ENV PATH=/opt/towpath/bin:$PATH
WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m pip install --require-hashes --requirement requirements/runtime.txt
# What builds the package stays out of the environment that runs it.
RUN python -m pip install --require-hashes --requirement requirements/build.txt --target /opt/build
COPY pyproject.toml README.md LICENSE ./
COPY policies policies
COPY bot bot
COPY workers workers
RUN PYTHONPATH=/opt/build python -m pip install --no-deps --no-build-isolation . \
    && python -m compileall -q /opt/towpath/lib

FROM python:3.11-slim-bookworm AS towpath
# git fetches and pushes, GnuPG or OpenSSH signs (`merge: signed`); all else that Towpath does with Git is in process.
RUN apt-get update \
    && apt-get install -y --no-install-recommends git gnupg openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin towpath \
    && install -d -o towpath -g towpath -m 0700 /var/lib/towpath
COPY --from=build /opt/towpath /opt/towpath
# HOME is where git looks for settings: nowhere.
ENV PATH=/opt/towpath/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/nonexistent \
    TOWPATH_MIRRORS=/var/lib/towpath
USER towpath
VOLUME /var/lib/towpath
EXPOSE 8080
ENTRYPOINT ["towpath"]
CMD ["web", "--host", "0.0.0.0", "--port", "8080"]

FROM towpath AS validator
COPY --from=programs /out/ /usr/local/bin/
CMD ["worker", "--queue", "validate"]

# The last stage is what is built where none is named.
FROM towpath
