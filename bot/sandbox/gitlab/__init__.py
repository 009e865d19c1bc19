"""GitLab's dialect of the sandbox: REST v4 and webhooks."""
