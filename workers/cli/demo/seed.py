"""What the demo's config repository holds: three services, one of two images, over nonprod and two prod rings."""

HOST = "registry.example.com/commerce"
PROJECT = "platform/config"
SERVICES = ("checkout-web", "ledger", "payments-api")
CLUSTERS = {
    "nonprod": ("azure/westeurope-01", "aws/eu-central-1-01"),
    "prod": (
        "azure/westeurope-01",
        "aws/eu-central-1-01",
        "aws/us-east-1-01",
        "gcp/europe-west4-01",
        "gcp/us-central1-01",
        "oci/eu-frankfurt-1-01",
        "oci/us-ashburn-1-01",
    ),
}

POLICY = f"""\
# How releases walk through this repository. `towpath check` validates this file.
version: 1
services:
  path: environments/{{environment}}/{{cloud}}/{{cluster}}/{{service}}/values.yaml
  format: helm-values
  registries: [{HOST}/]
  images: together
stages:
  - name: nonprod
    where: {{environment: nonprod}}
    merge: auto
  - name: prod-ring-1
    where: {{environment: prod, cloud: azure}}
    after: [nonprod]
    merge: manual
  - name: prod-ring-2
    where: {{environment: prod, cloud: [aws, gcp, oci]}}
    after: [prod-ring-1]
    merge: manual
"""

README = """\
# Config repository

What runs where. Argo CD makes the clusters match `environments/`; Towpath moves digests from one to the next.
"""

CONTROL = """\
Commands to Towpath about a service or a stage as a whole, such as `/status payments-api` or `/hold all because ...`.
"""


def files() -> dict[str, str]:
    """Path to text of the whole repository."""
    found = {"towpath.yaml": POLICY, "README.md": README}
    for environment, clusters in CLUSTERS.items():
        for cluster in clusters:
            for service in SERVICES:
                path = f"environments/{environment}/{cluster}/{service}/values.yaml"
                found[path] = values(service, environment, cluster)
    return found


def digest(name: str) -> str:
    """A made-up digest that is the same in every run; the demo's images exist in no registry."""
    import hashlib

    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def images(tag: str) -> dict[str, str]:
    """The digests of payments-api's two images in one version."""
    return {name: digest(f"{name} {tag}") for name in ("payments-api", "payments-worker")}


def values(service: str, environment: str, cluster: str) -> str:
    """One values file, written as people write them: comments, quotes and blank lines in their own ways."""
    cloud = cluster.partition("/")[0]
    replicas = {"nonprod": 1, "prod": 4}[environment]
    head = f"# {service} in {environment} on {cluster}\nreplicaCount: {replicas}\n\n"
    if service == "payments-api":
        return head + _payments(cloud)
    if service == "ledger":
        return head + _ledger()
    return head + _checkout(cloud)


def _payments(cloud: str) -> str:
    return f"""\
api:
  image:
    repository: {HOST}/payments-api
    tag: "1.4.1"   # the digest below is what runs
    digest: {digest("payments-api 1.4.1")}
    pullPolicy: IfNotPresent
  resources: {{requests: {{cpu: 250m, memory: 256Mi}}}}

worker:
  image:
    repository: {HOST}/payments-worker
    tag: "1.4.1"
    digest: {digest("payments-worker 1.4.1")}
  queues: [settle, refund]

nodeSelector:
  cloud: {cloud}
"""


def _ledger() -> str:
    return """\
image:
    registry: registry.example.com
    repository: commerce/ledger
    tag: '2025.11.3'
features:
    - name: double-entry
      enabled: yes   # quoted nowhere, on purpose
"""


def _checkout(cloud: str) -> str:
    return f"""\
image: {{repository: {HOST}/checkout-web, tag: v3.2.0, digest: "{digest("checkout-web v3.2.0")}"}}
ingress:
  host: checkout.{cloud}.example.com
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: "8m"
"""
