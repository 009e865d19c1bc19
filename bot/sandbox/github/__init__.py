"""GitHub's dialect of the sandbox: REST v3 and webhooks."""
